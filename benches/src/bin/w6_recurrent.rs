//! W6: training steps of recurrent networks.

use taut::prelude::*;
use taut_benches::{Figures, Work, measure, report, wanted};
