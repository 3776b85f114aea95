//! Elements that lie in memory with any strides, as tensors of PyTorch and arrays of NumPy may.

/// The positions of an array's elements among others. All of them exist: [`Strided::new`] checks that.
#[derive(Clone)]
pub struct Strided {
    /// Bytes of an element.
    width: usize,
    /// The position of the first element, in elements.
    offset: usize,
    pub sizes: Vec<usize>,
    /// The distance to the next element along each axis, in elements.
    strides: Vec<usize>,
    /// Bytes of all elements of the array.
    pub bytes: usize,
}

/// NumPy and PyTorch have at most 64 axes, too.
const MOST_AXES: usize = 64;

impl Strided {
    /// An array among `length` elements of `width` bytes, or what is wrong with it.
    pub fn new(
        width: usize,
        length: usize,
        offset: usize,
        sizes: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, &'static str> {
        if sizes.len() != strides.len() || sizes.len() > MOST_AXES {
            return Err("does not have a stride for each of at most 64 axes");
        }
        let bytes = bytes_of(&sizes, width).ok_or("has more elements than can be addressed")?;
        let is_within = bytes == 0 || {
            let steps = sizes.iter().zip(&strides).map(|(size, stride)| (size - 1).checked_mul(*stride));
            let last = { steps }.try_fold(offset, |last, step| last.checked_add(step?));
            last.is_some_and(|last| last < length)
        };
        if !is_within {
            return Err("reaches beyond its storage");
        }
        Ok(Strided { width, offset, sizes, strides, bytes })
    }

    /// The elements in row-major order, from the bytes of all elements.
    pub fn gather(&self, storage: &[u8]) -> Vec<u8> {
        let mut gathered = Vec::with_capacity(self.bytes);
        if self.bytes > 0 {
            self.gather_axis(0, self.offset, storage, &mut gathered);
        }
        gathered
    }

    /// The elements from an axis on, with the first at `place`.
    fn gather_axis(&self, axis: usize, place: usize, storage: &[u8], gathered: &mut Vec<u8>) {
        let inner: usize = self.sizes[axis..].iter().product();
        if self.is_row_major(axis) {
            gathered.extend(&storage[place * self.width..(place + inner) * self.width]);
        } else {
            for i in 0..self.sizes[axis] {
                self.gather_axis(axis + 1, place + i * self.strides[axis], storage, gathered);
            }
        }
    }

    /// Whether the axes from this one on are contiguous, in row-major order.
    fn is_row_major(&self, axis: usize) -> bool {
        let mut expected = 1;
        self.sizes[axis..].iter().zip(&self.strides[axis..]).rev().all(|(&size, &stride)| {
            let is_next = size == 1 || stride == expected;
            expected *= size;
            is_next
        })
    }
}

/// The size in bytes of this many elements of this width, if they can be addressed.
pub fn bytes_of(sizes: &[usize], width: usize) -> Option<usize> {
    let bytes = sizes.iter().try_fold(width, |bytes, &size| bytes.checked_mul(size))?;
    isize::try_from(bytes).is_ok().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::Generator;
    use rand::RngExt;

    fn view(length: usize, offset: usize, sizes: &[usize], strides: &[usize]) -> Result<Strided, &'static str> {
        Strided::new(2, length, offset, sizes.to_vec(), strides.to_vec())
    }

    /// Every element by its index.
    fn naive(view: &Strided, storage: &[u8]) -> Vec<u8> {
        let count: usize = view.sizes.iter().product();
        let element = |mut number: usize| {
            let mut place = view.offset;
            for (&size, &stride) in view.sizes.iter().zip(&view.strides).rev() {
                place += number % size * stride;
                number /= size;
            }
            [storage[2 * place], storage[2 * place + 1]]
        };
        (0..count).flat_map(element).collect()
    }

    #[test]
    fn any_view_is_read_element_by_element_or_refused() {
        let mut rng = Generator::new(0);
        let storage: Vec<u8> = (0..200).collect();
        let (mut good, mut bad) = (0, 0);
        for _ in 0..20_000 {
            let axes = rng.random_range(0..4);
            let sizes: Vec<usize> = (0..axes).map(|_| rng.random_range(0..5)).collect();
            let mut strides: Vec<usize> = (0..axes).map(|_| rng.random_range(0..15)).collect();
            if rng.random() {
                // row-major, perhaps with two axes exchanged
                let mut next = 1;
                for axis in (0..axes).rev() {
                    strides[axis] = next;
                    next *= sizes[axis].max(1);
                }
            }
            let offset = rng.random_range(0..101);
            let last: usize = offset + sizes.iter().zip(&strides).map(|(n, s)| n.saturating_sub(1) * s).sum::<usize>();
            match view(100, offset, &sizes, &strides) {
                Ok(view) => {
                    assert!(last < 100 || sizes.contains(&0));
                    assert_eq!(view.gather(&storage), naive(&view, &storage));
                    good += 1;
                }
                Err(_) => {
                    assert!(last >= 100 && !sizes.contains(&0));
                    bad += 1;
                }
            }
        }
        assert!(good > 5_000 && bad > 1_000, "{good} and {bad}");
    }

    #[test]
    fn sizes_and_strides_that_wrap_around_are_refused() {
        let huge = usize::MAX;
        for (offset, sizes, strides) in [
            (huge, vec![2], vec![1]),
            (0, vec![huge], vec![1]),
            (0, vec![2, huge / 2 + 1], vec![0, 0]),
            (0, vec![1 << 62], vec![0]),
            (1, vec![2, 2], vec![huge, 1]),
            (0, vec![3], vec![huge / 2 + 1]),
            (0, vec![2], vec![1, 1]),
            (0, vec![1; 65], vec![0; 65]),
        ] {
            assert!(view(10, offset, &sizes, &strides).is_err(), "{offset} {sizes:?} {strides:?}");
        }
        // no elements, so nothing is out of range, whatever the strides
        assert!(view(0, huge, &[0, 5], &[huge, huge]).is_ok());
        assert!(view(1, 0, &[1_000], &[0]).is_ok());
    }
}
