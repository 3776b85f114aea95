//! Numbers counted in bins.

use super::messages::Histogram;

/// As in TensorFlow's `tf.summary.histogram`.
const BINS: usize = 30;

impl Histogram {
    /// Bins of equal width from the smallest to the largest number, the upper edge of the last one included. NaN and
    /// infinities are left out.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.retain(|value| value.is_finite());
        let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if values.is_empty() {
            return Histogram::default();
        }
        // in two parts, because the difference of the two may be too large for a number
        let width = largest / BINS as f64 - smallest / BINS as f64;
        let mut counts = vec![0.0; BINS];
        for value in &values {
            // equal numbers span no width: they are in the last bin
            let bin = if width > 0.0 { ((value / 2.0 - smallest / 2.0) / (width / 2.0)) as usize } else { BINS };
            counts[bin.min(BINS - 1)] += 1.0;
        }
        let edge = |bin: usize| if bin == BINS { largest } else { smallest + width * bin as f64 };
        Histogram {
            smallest,
            largest,
            count: values.len() as f64,
            sum: values.iter().sum(),
            sum_of_squares: values.iter().map(|value| value * value).sum(),
            edges: (1..=BINS).map(edge).collect(),
            counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    /// The counts of `numpy.histogram(values, 30)` are those of half-open bins, with the last one closed.
    #[test]
    fn every_number_is_in_the_bin_between_its_edges() {
        let mut rng = StdRng::seed_from_u64(0);
        for (count, scale) in [(1, 1.0), (2, 1e-300), (100, 1e300), (1000, 3.0)] {
            let values = (Tensor::<(usize,), f64>::uniform_with((count,), -1.0, 1.0, &mut rng) * scale).to_vec();
            let histogram = Histogram::of(values.clone());
            assert_eq!((histogram.edges.len(), histogram.counts.len()), (BINS, BINS));
            assert_eq!(histogram.counts.iter().sum::<f64>(), count as f64);
            assert!(histogram.edges.is_sorted() && histogram.edges[BINS - 1] == histogram.largest);
            let mut below = 0.0;
            for (edge, counted) in histogram.edges.iter().zip(&histogram.counts) {
                below += counted;
                // a number at an edge may be rounded to either side
                let slack = 1e-12 * scale;
                let at_least = values.iter().filter(|&&value| value < edge - slack).count() as f64;
                let at_most = values.iter().filter(|&&value| value <= edge + slack).count() as f64;
                assert!((at_least..=at_most).contains(&below), "{below} of {count} are below {edge}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let histogram = Histogram::of(vec![f64::NAN, 1.0, f64::INFINITY, 3.0, f64::NEG_INFINITY]);
        assert_eq!((histogram.count, histogram.sum, histogram.sum_of_squares), (2.0, 4.0, 10.0));
        assert_eq!((histogram.counts[0], histogram.counts[BINS - 1]), (1.0, 1.0));
        assert_eq!(Histogram::of(vec![f64::NAN]), Histogram::default());
        let widest = Histogram::of(vec![f64::MIN, 0.0, f64::MAX]);
        // 0 is at the edge of two bins
        let middle = widest.counts[BINS / 2 - 1] + widest.counts[BINS / 2];
        assert_eq!((widest.counts[0], middle, widest.counts[BINS - 1]), (1.0, 1.0, 1.0));
        assert_eq!(Histogram::of(vec![2.0; 5]).counts[BINS - 1], 5.0);
    }
}
