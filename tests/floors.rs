//! The house has floors, in the order in which CONTRIBUTING.md lists them, and a file imports from its own floor and
//! those below only. No files import each other in a circle, either.
//!
//! It reads the `use` lines and the paths of the sources, without comments and unit tests. A name that a module only
//! re-exports (`pub use`) counts as belonging to the file that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// From the ground up.
const FLOORS: [&str; 24] = [
    "shape",
    "memory",
    "numbers",
    "kernels",
    "tape",
    "tensor",
    "trace",
    "params",
    "ops",
    "nn",
    "distributions",
    "loss",
    "metrics",
    "optim",
    "files",
    "io",
    "onnx",
    "data",
    "distributed",
    "record",
    "text",
    "models",
    "explain",
    "rl",
];

/// A module path below the crate, without `crate`: `["ops", "elementwise", "exp"]`.
type Module = Vec<String>;

/// The sources of a crate: the file of each module, and its text without comments and tests.
struct House {
    files: BTreeMap<Module, String>,
}

/// What a module mentions of other modules.
#[derive(Default)]
struct Said {
    /// Paths that it uses.
    uses: BTreeSet<Module>,
    /// Names that it re-exports, and what they stand for.
    exports: BTreeMap<String, Module>,
    /// Modules whose names it re-exports all.
    globs: Vec<Module>,
}

impl House {
    fn of_folder(source: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![(source.to_path_buf(), Module::new())];
        while let Some((folder, module)) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let stem = path.file_stem().unwrap().to_str().unwrap().to_string();
                let mut inner = module.clone();
                if path.is_dir() {
                    inner.push(stem);
                    folders.push((path, inner));
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    if stem != "mod" && stem != "lib" {
                        inner.push(stem);
                    }
                    files.insert(inner, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        Self::new(files)
    }

    fn new(mut files: BTreeMap<Module, String>) -> Self {
        // modules for tests only are declared as such by the module around them
        let tests: Vec<Module> = files
            .iter()
            .flat_map(|(module, text)| {
                let declared = text.split("#[cfg(test)]").skip(1).filter_map(|after| {
                    let line = after.trim_start().lines().next()?;
                    let name = line.strip_suffix(';')?.rsplit_once("mod ")?.1;
                    Some([module.as_slice(), &[name.to_string()]].concat())
                });
                declared.collect::<Vec<_>>()
            })
            .collect();
        files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        for text in files.values_mut() {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let code = code.collect::<Vec<_>>().join("\n");
            // unit tests stand at the end of a file, in a module of their own
            let end = ["\n#[cfg(test)]\nmod ", "\n#[cfg(test)]\npub mod "].iter().filter_map(|start| {
                let found = code
                    .match_indices(start)
                    .find(|(at, _)| code[at + start.len()..].lines().next().is_some_and(|line| line.ends_with('{')));
                found.map(|(at, _)| at)
            });
            *text = code[..end.min().unwrap_or(code.len())].to_string();
            // for modules within a file, `super` is the file
            while let Some(inline) = inline_module(text) {
                let inside = text[inline.clone()].replace("super::", "self::");
                text.replace_range(inline, &inside);
            }
        }
        House { files }
    }

    /// The module in which a path starts, and the rest of the path. `None` for paths of other crates.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let outer = || module[..module.len().saturating_sub(1)].to_vec();
        let start = match first.as_str() {
            "crate" | "$crate" => Module::new(),
            "self" => module.clone(),
            "super" => match rest.split_first() {
                Some((next, _)) if next == "super" => return self.absolute(&outer(), rest),
                _ => outer(),
            },
            child if self.files.contains_key(&[module.as_slice(), &[child.to_string()]].concat()) => {
                return Some([module.as_slice(), path].concat());
            }
            _ => return None,
        };
        Some([start, rest.to_vec()].concat())
    }

    fn said(&self, module: &Module) -> Said {
        let text = &self.files[module];
        let mut said = Said::default();
        let mut rest = text.as_str();
        let mut code = String::new();
        while let Some(at) = rest.find("use ") {
            let before = &rest[..at];
            let statement =
                before.ends_with('\n') || before.is_empty() || before.ends_with("pub ") || before.ends_with(") ");
            let indented = before.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
            if !(statement || indented) {
                code += &rest[..at + 4];
                rest = &rest[at + 4..];
                continue;
            }
            code += before;
            let public = before.ends_with("pub ") || before.ends_with(") ");
            let end = rest[at..].find(';').map_or(rest.len(), |end| at + end);
            for (path, name) in flattened(&rest[at + 4..end]) {
                let Some(target) = self.absolute(module, &path) else { continue };
                let own = target.starts_with(module);
                if public && name == "*" {
                    said.globs.push(target);
                } else if public && target != [module.as_slice(), std::slice::from_ref(&name)].concat() {
                    said.exports.insert(name, target.clone());
                    if !own {
                        said.uses.insert(target);
                    }
                } else if !public {
                    said.uses.insert(target);
                }
            }
            rest = &rest[end..];
        }
        code += rest;
        // paths in the code itself
        for (at, _) in code.match_indices("::") {
            let start = code[..at].rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).map_or(0, |i| i + 1);
            let first = &code[start..at];
            if !matches!(first, "crate" | "$crate" | "super") || code[..start].ends_with("::") {
                continue;
            }
            let end = code[start..].find(|c: char| !(c.is_alphanumeric() || "_:$".contains(c)));
            let path = &code[start..end.map_or(code.len(), |end| start + end)];
            let path: Vec<String> = path.split("::").filter(|part| !part.is_empty()).map(str::to_string).collect();
            said.uses.extend(self.absolute(module, &path));
        }
        said
    }

    /// For each file, the files that it imports from.
    fn arrows(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let said: BTreeMap<&Module, Said> = self.files.keys().map(|module| (module, self.said(module))).collect();
        let mut arrows = BTreeMap::new();
        for module in self.files.keys().filter(|module| !module.is_empty()) {
            let targets = said[module].uses.iter().filter_map(|path| self.defining(&said, path, 0));
            let targets: BTreeSet<Module> = targets.filter(|target| target != module && !target.is_empty()).collect();
            arrows.insert(module.clone(), targets);
        }
        arrows
    }

    /// The file that defines what a path names.
    fn defining(&self, said: &BTreeMap<&Module, Said>, path: &[String], depth: usize) -> Option<Module> {
        assert!(depth < 20, "{} is handed on in a circle", path.join("::"));
        if self.files.contains_key(path) {
            return Some(path.to_vec());
        }
        let length = (0..path.len()).rev().find(|&length| self.files.contains_key(&path[..length]))?;
        let (module, rest) = path.split_at(length);
        if let Some(target) = said[&module.to_vec()].exports.get(&rest[0]) {
            return self.defining(said, target, depth + 1);
        }
        let defined = |text: &str| {
            ["struct", "enum", "trait", "fn", "type", "static", "const", "macro_rules!", "union"].iter().any(|kind| {
                text.match_indices(&format!("{kind} {}", rest[0]))
                    .any(|(at, found)| !text[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            })
        };
        if !defined(&self.files[module]) {
            for glob in &said[&module.to_vec()].globs {
                if self.files.get(glob).is_some_and(|text| defined(text)) {
                    return Some(glob.clone());
                }
                let inside = [glob.as_slice(), rest].concat();
                if let Some(found) = self.defining(said, &inside, depth + 1).filter(|found| found != glob) {
                    return Some(found);
                }
            }
        }
        Some(module.to_vec())
    }
}

/// The range of a module within a file that still mentions what is around it.
fn inline_module(text: &str) -> Option<std::ops::Range<usize>> {
    for (at, _) in text.match_indices("mod ") {
        let Some(open) =
            text[at..].find(['{', ';']).map(|open| at + open).filter(|&open| text[open..].starts_with('{'))
        else {
            continue;
        };
        let mut depth = 0;
        let end = text[open..].char_indices().find(|&(_, c)| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            depth == 0
        });
        let inline = open..end.map_or(text.len(), |(end, _)| open + end);
        if text[inline.clone()].contains("super::") {
            return Some(inline);
        }
    }
    None
}

/// The paths of a `use` tree, each with the name that it brings.
fn flattened(tree: &str) -> Vec<(Vec<String>, String)> {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let prefix = tree[..open].trim().trim_end_matches("::");
        let inner = &tree[open + 1..tree.rfind('}').unwrap()];
        let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
        for (at, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(&inner[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        parts.push(&inner[start..]);
        let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
        return parts
            .flat_map(flattened)
            .map(|(path, name)| {
                let before = prefix.split("::").filter(|part| !part.is_empty()).map(str::to_string);
                (before.chain(path.into_iter().filter(|part| part != "self")).collect(), name)
            })
            .collect();
    }
    let (path, name) = match tree.split_once(" as ") {
        Some((path, name)) => (path, name),
        None => (tree, tree.rsplit("::").next().unwrap()),
    };
    let mut path: Vec<String> = path.trim().split("::").map(|part| part.trim().to_string()).collect();
    if path.last().is_some_and(|last| last == "*") {
        path.pop();
    }
    vec![(path, name.trim().to_string())]
}

fn floor(module: &Module) -> Option<usize> {
    FLOORS.iter().position(|&floor| floor == module[0])
}

/// Every arrow that points up, and every file that belongs to no floor.
fn upward(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (module, targets) in arrows {
        let Some(from) = floor(module) else {
            wrong.push(format!("{} is on no floor", module.join("/")));
            continue;
        };
        for target in targets {
            if floor(target).is_some_and(|to| to > from) {
                wrong.push(format!("{} imports from {}, which is above it", module.join("/"), target.join("/")));
            }
        }
    }
    wrong
}

/// Every group of files that import each other in a circle.
fn circles(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let reachable = |from: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = next.pop() {
            for target in arrows.get(&module).into_iter().flatten() {
                if seen.insert(target.clone()) {
                    next.push(target.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> =
        arrows.keys().map(|module| (module, reachable(module))).collect();
    let mut groups = BTreeSet::new();
    for (module, targets) in &reached {
        if targets.contains(*module) {
            let group = targets.iter().filter(|target| reached.get(target).is_some_and(|back| back.contains(*module)));
            groups.insert(group.map(|module| module.join("/")).collect::<Vec<_>>().join(", "));
        }
    }
    groups.into_iter().collect()
}

fn house() -> House {
    House::of_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn no_file_imports_from_a_floor_above_its_own() {
    let wrong = upward(&house().arrows());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let wrong = circles(&house().arrows());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn contributing_lists_the_floors_in_this_order() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CONTRIBUTING.md")).unwrap();
    let listed =
        text.lines().filter_map(|line| line.strip_prefix("| `src/")?.split_once("/` |")).map(|(floor, _)| floor);
    assert_eq!(listed.collect::<Vec<_>>(), FLOORS);
}

/// A small house; `text` is the file of the loops.
fn example(text: &str) -> House {
    let files = [
        ("numbers/mod", "mod float;\npub use float::Float;"),
        ("numbers/float", "pub trait Float {}"),
        ("kernels/mod", "pub mod loops;\npub fn worthwhile() {}"),
        ("kernels/loops", text),
        ("tensor/mod", "mod create;\npub use create::Tensor;\npub use crate::numbers::Float;"),
        ("tensor/create", "use crate::kernels::loops::add;\npub struct Tensor;"),
    ];
    let module = |path: &str| path.trim_end_matches("/mod").split('/').map(str::to_string).collect();
    House::new(files.into_iter().map(|(path, text)| (module(path), text.to_string())).collect())
}

#[test]
fn an_arrow_that_is_turned_round_is_found() {
    let right = "use super::worthwhile;\nuse crate::numbers::Float;\n\npub fn add<E: Float>() {}";
    assert_eq!((upward(&example(right).arrows()), circles(&example(right).arrows())), (vec![], vec![]));
    // what a floor above only re-exports is not above
    assert!(upward(&example("use crate::tensor::Float;").arrows()).is_empty());
    let up = ["kernels/loops imports from tensor/create, which is above it"];
    let circle = ["kernels/loops, tensor/create"];
    for wrong in [
        "use crate::tensor::Tensor;\npub fn add() {}",
        "use crate::{numbers::Float, tensor::{Tensor as T}};\npub fn add() {}",
        "pub fn add(x: &crate::tensor::Tensor) {}",
        "pub fn add() {\n    use crate::tensor::Tensor;\n}",
    ] {
        let arrows = example(wrong).arrows();
        assert_eq!(
            (upward(&arrows), circles(&arrows)),
            (up.map(String::from).to_vec(), circle.map(String::from).to_vec()),
            "{wrong}"
        );
    }
    // comments and tests may name what they like
    for fine in [
        "/// See [`crate::tensor::Tensor`].\npub fn add() {}",
        "\n#[cfg(test)]\nmod tests {\n    use crate::tensor::Tensor;\n}",
    ] {
        assert!(upward(&example(fine).arrows()).is_empty(), "{fine}");
    }
}
