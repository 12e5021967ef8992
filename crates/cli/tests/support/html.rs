//! Pages, read by the parser of a browser by other people.

use html5ever::{parse_document, tendril::TendrilSink as _};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// An element with its attributes.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// The text in it and in what it holds.
    pub text: String,
    /// The names of those around it, the outermost first.
    pub around: Vec<String>,
}

/// All of a page, in the order in which it stands there.
#[derive(Debug)]
pub struct Document {
    pub errors: Vec<String>,
    pub elements: Vec<Element>,
    pub comments: usize,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

impl Document {
    pub fn of(page: &str) -> Self {
        let dom = parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(page);
        let errors = dom.errors.borrow().iter().map(ToString::to_string).collect();
        let mut document = Self { errors, elements: Vec::new(), comments: 0 };
        document.read(&dom.document, &mut Vec::new());
        document
    }

    /// What is in a node; the text.
    fn read(&mut self, node: &Handle, around: &mut Vec<String>) -> String {
        match &node.data {
            NodeData::Text { contents } => contents.borrow().to_string(),
            NodeData::Element { name, attrs, .. } => {
                let attributes = attrs.borrow();
                let attributes =
                    attributes.iter().map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()));
                let name = name.local.to_string();
                let element = Element {
                    name: name.clone(),
                    attributes: attributes.collect(),
                    text: String::new(),
                    around: around.clone(),
                };
                let place = self.elements.len();
                self.elements.push(element);
                around.push(name);
                let text = self.children(node, around);
                around.pop();
                self.elements[place].text.clone_from(&text);
                text
            }
            NodeData::Comment { .. } => {
                self.comments += 1;
                String::new()
            }
            NodeData::Document | NodeData::Doctype { .. } | NodeData::ProcessingInstruction { .. } => {
                self.children(node, around)
            }
        }
    }

    fn children(&mut self, node: &Handle, around: &mut Vec<String>) -> String {
        node.children.borrow().iter().map(|child| self.read(child, around)).collect()
    }

    pub fn all<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    /// What people read, each run of blanks as one.
    pub fn words(&self) -> String {
        words(&self.all("body").next().unwrap().text)
    }
}

pub fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
