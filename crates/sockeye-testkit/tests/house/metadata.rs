//! The dependency graph as `cargo metadata` tells it, for the platform that the project is for.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

/// All packages of the graph, and the project's own.
pub(crate) struct Metadata {
    pub(crate) packages: BTreeMap<String, Package>,
    pub(crate) members: BTreeSet<String>,
}

/// One package; `normal` are the ids that it needs at run time, `build` those that build it, `dev`
/// those of its tests.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: String,
    pub(crate) published: bool,
    pub(crate) manifest: Value,
    pub(crate) normal: BTreeSet<String>,
    pub(crate) build: BTreeSet<String>,
    pub(crate) dev: BTreeSet<String>,
}

impl Metadata {
    /// The graph, asked for once.
    pub(crate) fn get() -> &'static Self {
        static METADATA: OnceLock<Metadata> = OnceLock::new();
        METADATA.get_or_init(|| Self::parse(&ask_cargo()))
    }

    /// The project's own packages by name.
    pub(crate) fn own(&self) -> BTreeMap<&str, &Package> {
        self.members.iter().map(|id| (&*self.packages[id].name, &self.packages[id])).collect()
    }

    /// The project's own packages that `of` depends on, by the kind that `edges` picks.
    pub(crate) fn own_needs<'a>(
        &'a self,
        of: &'a Package,
        edges: impl Fn(&'a Package) -> &'a BTreeSet<String>,
    ) -> Vec<&'a str> {
        edges(of)
            .iter()
            .filter(|id| self.members.contains(*id))
            .map(|id| &*self.packages[id].name)
            .collect()
    }

    fn parse(metadata: &Value) -> Self {
        let mut packages = BTreeMap::new();
        for package in array(&metadata["packages"]) {
            packages.insert(text(&package["id"]), Package::parse(package));
        }
        let nodes = array(&metadata["resolve"]["nodes"]);
        for node in &nodes {
            let id = text(&node["id"]);
            let package = packages.get_mut(&id).expect("a node is a package");
            for dependency in array(&node["deps"]) {
                package.add(dependency);
            }
        }
        // What is listed and not in the graph is of another platform.
        let used: BTreeSet<_> = nodes.iter().map(|node| text(&node["id"])).collect();
        packages.retain(|id, _| used.contains(id));
        let members = array(&metadata["workspace_members"]).into_iter().map(text).collect();
        Self { packages, members }
    }
}

impl Package {
    fn parse(package: &Value) -> Self {
        Self {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: package["license"].as_str().unwrap_or_default().to_owned(),
            published: package["publish"] != Value::Array(Vec::new()),
            manifest: package.clone(),
            normal: BTreeSet::new(),
            build: BTreeSet::new(),
            dev: BTreeSet::new(),
        }
    }

    fn add(&mut self, dependency: &Value) {
        let id = text(&dependency["pkg"]);
        for kind in array(&dependency["dep_kinds"]) {
            let edges = match kind["kind"].as_str() {
                None => &mut self.normal,
                Some("build") => &mut self.build,
                Some("dev") => &mut self.dev,
                Some(other) => panic!("cargo knows a new kind of dependency: {other}"),
            };
            edges.insert(id.clone());
        }
    }
}

fn ask_cargo() -> Value {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", &platform])
        .current_dir(super::tree::root())
        .output()
        .expect("cargo starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {errors}");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn array(value: &Value) -> Vec<&Value> {
    value.as_array().expect("an array").iter().collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
