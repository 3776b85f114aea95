//! Tensors in serde's formats: `{"shape": [2, 3], "values": [..]}`, the last axis fastest.

use crate::numbers::{of_special_name, special_name};
use crate::ops::ShapeMismatch;
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};
use serde::de::Error;
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;

impl<S: Shape, E: Element + Serialize> Serialize for Tensor<S, E> {
    /// Writes the shape and the elements. Human-readable formats such as JSON have no NaN and no infinities: there they
    /// are the strings `"NaN"`, `"inf"` and `"-inf"`.
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        let mut fields = serializer.serialize_struct("Tensor", 2)?;
        fields.serialize_field("shape", self.shape().sizes().as_ref())?;
        fields.serialize_field("values", &Values(self.as_slice()))?;
        fields.end()
    }
}

struct Values<'a, E>(&'a [E]);

impl<E: Element + Serialize> Serialize for Values<'_, E> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        let for_people = serializer.is_human_readable();
        let mut values = serializer.serialize_seq(Some(self.0.len()))?;
        for value in self.0 {
            match name_of(value).filter(|_| for_people) {
                Some(name) => values.serialize_element(name)?,
                None => values.serialize_element(value)?,
            }
        }
        values.end()
    }
}

/// The string for a number that is not finite.
fn name_of<E: 'static>(value: &E) -> Option<&'static str> {
    let value: &dyn Any = value;
    let value = value.downcast_ref().copied().or_else(|| value.downcast_ref().map(|&value: &f32| f64::from(value)))?;
    special_name(value)
}

/// A number, or the string in its place.
struct Value<E>(E);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written<E> {
    Number(E),
    Name(String),
}

impl<'de, E: Element + Deserialize<'de>> Deserialize<'de> for Value<E> {
    fn deserialize<R: Deserializer<'de>>(deserializer: R) -> Result<Self, R::Error> {
        if !deserializer.is_human_readable() {
            return E::deserialize(deserializer).map(Value);
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(Value(value)),
            Written::Name(name) => {
                let unknown = || R::Error::custom(format!("`{name}` is not a number"));
                let value = of_special_name(&name).ok_or_else(unknown)?;
                let of_type: [Box<dyn Any>; 2] = [Box::new(value), Box::new(value as f32)];
                let found = of_type.into_iter().find_map(|value| value.downcast::<E>().ok());
                found
                    .map(|value| Value(*value))
                    .ok_or_else(|| R::Error::custom(format!("`{name}` is not a valid {}", E::NAME)))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename = "Tensor", deny_unknown_fields, bound(deserialize = "Value<E>: Deserialize<'de>"))]
struct Parts<E> {
    shape: Vec<usize>,
    values: Vec<Value<E>>,
}

impl<'de, S: Shape, E: Element + Deserialize<'de>> Deserialize<'de> for Tensor<S, E> {
    /// Reads a tensor. A shape that differs from the type's is an error, and so is another number of elements.
    fn deserialize<R: Deserializer<'de>>(deserializer: R) -> Result<Self, R::Error> {
        let Parts { shape: sizes, values } = Parts::<E>::deserialize(deserializer)?;
        let values: Vec<E> = values.into_iter().map(|value| value.0).collect();
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
    fn numbers_that_json_does_not_have_come_back() {
        let x = Tensor::from([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::MAX, 1.0e-45, 3.0]);
        let text = serde_json::to_string(&x).unwrap();
        assert!(text.starts_with(r#"{"shape":[7],"values":["NaN","inf","-inf",-0.0,"#), "{text}");
        let again: Tensor<Rank1<7>> = serde_json::from_str(&text).unwrap();
        assert!(again.as_slice()[0].is_nan());
        assert_eq!(
            again.as_slice()[1..].iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            x.as_slice()[1..].iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        );
        let wide: Tensor<Rank1<7>, f64> = serde_json::from_str(&text).unwrap();
        assert!(wide.as_slice()[0].is_nan() && wide.as_slice()[2] == f64::NEG_INFINITY);
        assert_eq!(serde_json::to_string(&wide).unwrap().matches('"').count(), text.matches('"').count());
        for wrong in [r#"{"shape":[1],"values":["nan"]}"#, r#"{"shape":[1],"values":[null]}"#] {
            assert!(serde_json::from_str::<Tensor<Rank1<1>>>(wrong).is_err());
        }
        assert!(serde_json::from_str::<Tensor<Rank1<1>, usize>>(r#"{"shape":[1],"values":["NaN"]}"#).is_err());
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
