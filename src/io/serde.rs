//! Tensors in serde's formats: `{"shape": [2, 3], "values": [..]}`, the last axis fastest.

use crate::ops::ShapeMismatch;
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};
use serde::de::Error;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl<S: Shape, E: Element + Serialize> Serialize for Tensor<S, E> {
    /// Writes the shape and the elements. Some formats, JSON among them, have no NaN and no infinities.
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        let mut fields = serializer.serialize_struct("Tensor", 2)?;
        fields.serialize_field("shape", self.shape().sizes().as_ref())?;
        fields.serialize_field("values", self.as_slice())?;
        fields.end()
    }
}

#[derive(Deserialize)]
#[serde(rename = "Tensor", deny_unknown_fields)]
struct Parts<E> {
    shape: Vec<usize>,
    values: Vec<E>,
}

impl<'de, S: Shape, E: Element + Deserialize<'de>> Deserialize<'de> for Tensor<S, E> {
    /// Reads a tensor. Another shape than the type says is an error, and so is another number of elements.
    fn deserialize<R: Deserializer<'de>>(deserializer: R) -> Result<Self, R::Error> {
        let Parts { shape: sizes, values } = Parts::<E>::deserialize(deserializer)?;
        let shape = S::from_sizes(&sizes).ok_or_else(|| R::Error::custom(ShapeMismatch::new::<S>(&sizes)))?;
        Tensor::from_vec(values, shape).map_err(R::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn tensors_come_back() {
        let x = Tensor::from([[1.0, 0.1, -3.5e-30], [4.0, -0.0, 6.0]]);
        let text = serde_json::to_string(&x).unwrap();
        assert_eq!(text, r#"{"shape":[2,3],"values":[1.0,0.1,-3.5e-30,4.0,-0.0,6.0]}"#);
        assert_eq!(serde_json::from_str::<Tensor<Rank2<2, 3>>>(&text).unwrap(), x);
        let run_time: Tensor<(usize, Const<3>)> = serde_json::from_str(&text).unwrap();
        assert_eq!(run_time.shape().0, 2);

        let labels = Tensor::from([3, 1, 2]);
        let text = serde_json::to_string(&labels).unwrap();
        assert_eq!(serde_json::from_str::<Tensor<Rank1<3>, usize>>(&text).unwrap(), labels);
        let scalar = Tensor::<_, f64>::of(0.1 + 0.2);
        let text = serde_json::to_string(&scalar).unwrap();
        assert_eq!(serde_json::from_str::<Tensor<Rank0, f64>>(&text).unwrap(), scalar);
        let mask: Tensor<Rank2<0, 4>, bool> = Tensor::zeros();
        let text = serde_json::to_string(&mask).unwrap();
        assert_eq!(serde_json::from_str::<Tensor<Rank2<0, 4>, bool>>(&text).unwrap(), mask);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = |text: &str| serde_json::from_str::<Tensor<(usize, Const<2>)>>(text).unwrap_err().to_string();
        let message = error(r#"{"shape":[2,3],"values":[1,2,3,4,5,6]}"#);
        assert!(message.starts_with("a tensor of shape (2, 3) is not one of shape (usize, Const<2>)"), "{message}");
        let message = error(r#"{"shape":[2,2],"values":[1,2,3]}"#);
        assert!(message.starts_with("a tensor of shape (2, 2) has 4 elements, and 3 values were given"), "{message}");
        // sizes whose product overflows
        let message = error(r#"{"shape":[9223372036854775808,2],"values":[]}"#);
        assert!(message.contains("more elements than can be addressed"), "{message}");
        for wrong in [r#"{"shape":[1]}"#, r#"{"shape":[1,2],"values":[true,1]}"#, r#"{"shape":[-1,2],"values":[]}"#] {
            error(wrong);
        }
    }
}
