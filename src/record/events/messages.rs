//! The few messages of TensorFlow's event files that are needed, written by hand so that no compiler for them is
//! needed: `tensorflow/core/util/event.proto`, `tensorflow/core/framework/{summary, histogram, tensor}.proto`. Names
//! differ from theirs, as a file holds only the numbers of the fields.

use prost::{Message, Oneof};

/// `Event`
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Since 1970.
    #[prost(double, tag = "1")]
    pub seconds: f64,
    #[prost(int64, tag = "2")]
    pub step: i64,
    #[prost(oneof = "event::What", tags = "3, 5, 7")]
    pub what: Option<event::What>,
}

pub mod event {
    use super::{Oneof, Session, Summary};

    #[derive(Clone, PartialEq, Oneof)]
    pub enum What {
        #[prost(string, tag = "3")]
        FileVersion(String),
        #[prost(message, tag = "5")]
        Summary(Summary),
        #[prost(message, tag = "7")]
        Session(Session),
    }
}

/// `SessionLog`
#[derive(Clone, PartialEq, Message)]
pub struct Session {
    #[prost(int32, tag = "1")]
    pub status: i32,
}

impl Session {
    /// Discards earlier events of this step and later ones.
    pub const START: i32 = 1;
}

/// `Summary`
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// `Summary.Value`
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
    #[prost(oneof = "value::What", tags = "2, 4, 5, 8")]
    pub what: Option<value::What>,
}

impl Value {
    pub fn new(name: &str, what: value::What) -> Self {
        Value { name: name.to_string(), metadata: None, what: Some(what) }
    }
}

pub mod value {
    use super::{Histogram, Oneof, Picture, TextTensor};

    #[derive(Clone, PartialEq, Oneof)]
    pub enum What {
        #[prost(float, tag = "2")]
        Scalar(f32),
        #[prost(message, tag = "4")]
        Picture(Picture),
        #[prost(message, tag = "5")]
        Histogram(Histogram),
        #[prost(message, tag = "8")]
        Text(TextTensor),
    }
}

/// `Summary.Image`
#[derive(Clone, PartialEq, Message)]
pub struct Picture {
    #[prost(int32, tag = "1")]
    pub height: i32,
    #[prost(int32, tag = "2")]
    pub width: i32,
    /// 1 for gray, 3 for colours.
    #[prost(int32, tag = "3")]
    pub colours: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub png: Vec<u8>,
}

/// `HistogramProto`
#[derive(Clone, PartialEq, Message)]
pub struct Histogram {
    #[prost(double, tag = "1")]
    pub smallest: f64,
    #[prost(double, tag = "2")]
    pub largest: f64,
    #[prost(double, tag = "3")]
    pub count: f64,
    #[prost(double, tag = "4")]
    pub sum: f64,
    #[prost(double, tag = "5")]
    pub sum_of_squares: f64,
    /// The upper edge of each bin.
    #[prost(double, repeated, tag = "6")]
    pub edges: Vec<f64>,
    /// The number of elements in each bin.
    #[prost(double, repeated, tag = "7")]
    pub counts: Vec<f64>,
}

/// `SummaryMetadata`
#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub plugin: Option<Plugin>,
}

/// `SummaryMetadata.PluginData`
#[derive(Clone, PartialEq, Message)]
pub struct Plugin {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// `TensorProto`, of texts
#[derive(Clone, PartialEq, Message)]
pub struct TextTensor {
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Scalar>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub texts: Vec<Vec<u8>>,
}

impl TextTensor {
    pub const STRING: i32 = 7;
}

/// `TensorShapeProto`, without axes
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Scalar {}
