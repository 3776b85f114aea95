//! Where the entries of a matrix are.

/// A matrix in a slice, with the distances between its rows and between its columns.
#[derive(Clone, Copy)]
pub struct Matrix<'a, E> {
    pub values: &'a [E],
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a, E: Copy> Matrix<'a, E> {
    /// A matrix stored row by row.
    pub fn rows(values: &'a [E], columns: usize) -> Self {
        Matrix { values, row_stride: columns, column_stride: 1 }
    }

    /// The transpose of a matrix stored row by row.
    pub fn transposed(values: &'a [E], columns: usize) -> Self {
        Matrix { values, row_stride: 1, column_stride: columns }
    }

    /// Its transpose.
    pub fn transpose(self) -> Self {
        Matrix { values: self.values, row_stride: self.column_stride, column_stride: self.row_stride }
    }

    /// The submatrix from `row` and `column` on.
    #[inline(always)]
    pub fn part(self, row: usize, column: usize) -> Self {
        Matrix { values: &self.values[row * self.row_stride + column * self.column_stride..], ..self }
    }

    #[inline(always)]
    pub fn at(self, row: usize, column: usize) -> E {
        self.values[row * self.row_stride + column * self.column_stride]
    }

    /// Panics if an entry of an m x n matrix would lie outside the slice.
    pub fn check(&self, m: usize, n: usize) {
        if m > 0 && n > 0 {
            let down = (m - 1).checked_mul(self.row_stride);
            let right = (n - 1).checked_mul(self.column_stride);
            let last = down.zip(right).and_then(|(down, right)| down.checked_add(right));
            assert!(last.is_some_and(|last| last < self.values.len()), "the matrix lies in its slice");
        }
    }
}
