//! Files of `torch.save`: a zip archive with a pickle, `data.pkl`, which describes the tensors, and an entry for the
//! numbers of each storage, `data/0`. (The format: `torch/serialization.py`.)

mod flatten;
mod pickle;

use super::archive::Archive;
use super::safetensors::Stored;
use super::source::{Source, reading};
use crate::files::{Limit, Reason};
use crate::optim::SnapshotArray;
use pickle::View;
use std::io::{Read, Seek};

/// An open file.
pub struct PytorchFile {
    archive: Archive,
    /// What the names of all entries begin with.
    folder: String,
    is_big_endian: bool,
    /// Where the numbers of the tensors are, in the order in which they were named.
    views: Vec<View>,
}

/// The beginning of the pickle in a file of PyTorch before 1.6: protocol 2, and a number of ten bytes.
const BEFORE_ZIP: [u8; 14] = *b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19";

impl PytorchFile {
    /// Reads what tensors there are.
    pub fn read(mut source: Source, length: u64) -> Result<(Self, Vec<Stored>), Reason> {
        refuse_old_format(&mut source)?;
        let mut archive = Archive::read(source, Limit::default().of_gzip(length))?;
        let mut pickles = archive.names().iter().filter_map(|name| name.strip_suffix("data.pkl"));
        let folder = pickles.find(|folder| folder.ends_with('/') && folder.matches('/').count() == 1);
        let Some(folder) = folder.map(str::to_string) else {
            return Err(Reason::Text(
                "this is not a file of `torch.save`: the zip archive has no `data.pkl`".to_string(),
            ));
        };
        let order = format!("{folder}byteorder");
        let is_big_endian = archive.names().contains(&order)
            && match archive.contents(&order)?.as_slice() {
                b"little" => false,
                b"big" => true,
                _ => return Err(Reason::Text("its byte order is neither `little` nor `big`".to_string())),
            };
        let pickle = archive.contents(&format!("{folder}data.pkl"))?;
        let tensors = pickle::read(&pickle).and_then(|objects| flatten::named_tensors(&objects, pickle.len()))?;
        let mut stored = Vec::new();
        let mut views = Vec::new();
        for (name, view) in tensors {
            let (sizes, bytes) = (view.elements.sizes.clone(), view.elements.bytes);
            stored.push(Stored { name, sizes, dtype: view.dtype, bytes, is_passed_over: false });
            views.push(view);
        }
        Ok((PytorchFile { archive, folder, is_big_endian, views }, stored))
    }

    /// Reads the numbers of those tensors for which `wanted` says so. Each storage is read once, however many tensors
    /// share it.
    pub fn read_numbers(&mut self, tensors: &[Stored], wanted: &[bool]) -> Result<Vec<Option<SnapshotArray>>, Reason> {
        let mut arrays: Vec<Option<SnapshotArray>> = wanted.iter().map(|_| None).collect();
        let mut order: Vec<usize> = (0..wanted.len()).filter(|&i| wanted[i]).collect();
        order.sort_by(|&i, &j| self.views[i].storage.cmp(&self.views[j].storage));
        for group in order.chunk_by(|&i, &j| self.views[i].storage == self.views[j].storage) {
            let entry = format!("{}data/{}", self.folder, self.views[group[0]].storage);
            let mut bytes = self.archive.contents(&entry)?;
            let width = self.views[group[0]].width();
            if self.is_big_endian {
                bytes.chunks_mut(width).for_each(<[u8]>::reverse);
            }
            for &i in group {
                let view = &self.views[i];
                if view.width() != width || view.storage_bytes() != Some(bytes.len()) {
                    let text = format!(
                        "`{}` needs {} elements of `{entry}`, which holds {} bytes",
                        tensors[i].name,
                        view.storage_length,
                        bytes.len()
                    );
                    return Err(Reason::Text(text));
                }
                arrays[i] = Some(tensors[i].array(&view.elements.gather(&bytes))?);
            }
        }
        Ok(arrays)
    }
}

fn refuse_old_format(source: &mut Source) -> Result<(), Reason> {
    let mut start = Vec::new();
    source.take(BEFORE_ZIP.len() as u64).read_to_end(&mut start).map_err(reading)?;
    source.rewind().map_err(reading)?;
    if start == BEFORE_ZIP {
        let text = "this is a file of PyTorch before 1.6, which is not a zip archive: rewrite it in Python with \
                    `torch.save(torch.load(path, map_location=\"cpu\", weights_only=True), path)`";
        return Err(Reason::Text(text.to_string()));
    }
    Ok(())
}
