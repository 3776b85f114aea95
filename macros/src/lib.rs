//! The derive macros of taut: `Module`, `Parameters` and `Init`. Use them through `taut::prelude`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Index, LitStr, Member, Result, parse_macro_input};

/// A field, how to name it in code, and its attributes.
struct Part<'a> {
    field: &'a Field,
    member: Member,
    options: Options,
}

/// The attributes of a field, for the three derives.
#[derive(Default)]
struct Options {
    /// `#[parameters(name = "..")]`
    name: Option<String>,
    /// `#[parameters(skip)]`
    no_parameters: bool,
    /// `#[module(skip)]`
    no_module: bool,
    /// `#[init(default)]` and `#[init(value = ..)]`
    init: Option<Tokens>,
}

/// The fields of a struct, in order.
fn parts<'a>(input: &'a DeriveInput, derive: &str) -> Result<Vec<Part<'a>>> {
    let Data::Struct(data) = &input.data else {
        let message = format!("`{derive}` can be derived for a struct only: each of its fields is a layer");
        return Err(Error::new(input.ident.span(), message));
    };
    let part = |(i, field): (usize, &'a Field)| {
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::Unnamed(Index::from(i)),
        };
        Ok(Part { field, member, options: options(field)? })
    };
    data.fields.iter().enumerate().map(part).collect()
}

impl Part<'_> {
    /// The name in files.
    fn name(&self) -> String {
        match (&self.options.name, &self.member) {
            (Some(name), _) => name.clone(),
            (None, Member::Named(ident)) => ident.to_string().trim_start_matches("r#").to_string(),
            (None, Member::Unnamed(index)) => index.index.to_string(),
        }
    }
}

/// Every derive reads the attributes of all three, so that an invalid one is found by any of them.
fn options(field: &Field) -> Result<Options> {
    let mut options = Options::default();
    for attribute in &field.attrs {
        if attribute.path().is_ident("parameters") {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("skip") {
                    options.no_parameters = true;
                } else if meta.path.is_ident("name") {
                    let literal: LitStr = meta.value()?.parse()?;
                    let text = literal.value();
                    if text.is_empty() || text.contains('.') {
                        return Err(Error::new(literal.span(), "a parameter's name is not empty and has no dot"));
                    }
                    options.name = Some(text);
                } else {
                    return Err(meta.error(
                        "unknown option: `#[parameters(name = \"..\")]` renames a field in files, \
                         `#[parameters(skip)]` says that it holds no parameters",
                    ));
                }
                Ok(())
            })?;
            if options.no_parameters && options.name.is_some() {
                return Err(Error::new(attribute.span(), "a field without parameters has no name in files"));
            }
        } else if attribute.path().is_ident("module") {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("skip") {
                    return Err(meta.error("unknown option: `#[module(skip)]` leaves a field out of the chain"));
                }
                options.no_module = true;
                Ok(())
            })?;
        } else if attribute.path().is_ident("init") {
            attribute.parse_nested_meta(|meta| {
                options.init = if meta.path.is_ident("default") {
                    Some(quote!(::core::default::Default::default()))
                } else if meta.path.is_ident("value") {
                    // the rest of the attribute: an expression with or without commas
                    Some(meta.value()?.parse()?)
                } else {
                    return Err(meta.error(
                        "unknown option: `#[init(default)]` and `#[init(value = ..)]` say what a field is when the \
                         struct is made, in place of `Init::init`",
                    ));
                };
                Ok(())
            })?;
        }
    }
    Ok(options)
}

/// Derives `Module`: the fields are run in order.
///
/// ```ignore
/// #[derive(Module, Parameters, Init)]
/// struct Mlp {
///     hidden: (Linear<784, 128>, Relu),
///     output: Linear<128, 10>,
/// }
/// ```
///
/// `#[module(skip)]` leaves out a field that is not a layer of the chain.
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    module(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn module(input: &DeriveInput) -> Result<Tokens> {
    let mut parts = parts(input, "Module")?;
    parts.retain(|part| !part.options.no_module);
    if parts.is_empty() {
        let message = "`Module` runs the fields in order, and there is none: implement `Module` by hand";
        return Err(Error::new(input.ident.span(), message));
    }
    let mut generics = input.generics.clone();
    generics.params.push(syn::parse_quote!(TautInput));
    let outputs: Vec<_> = (0..parts.len()).map(|i| format_ident!("TautOutput{i}")).collect();
    let takes: Vec<_> = std::iter::once(format_ident!("TautInput")).chain(outputs.iter().cloned()).collect();
    let clause = generics.make_where_clause();
    for ((part, input), output) in parts.iter().zip(&takes).zip(&outputs) {
        let layer = &part.field.ty;
        // named outputs instead of projections: a private field type may appear in a bound, but not in `Output`
        clause.predicates.push(syn::parse_quote!(#layer: ::taut::nn::Module<#input, Output = #output>));
    }
    for output in &outputs {
        generics.params.push(syn::parse_quote!(#output));
    }
    let mut exported = generics.clone();
    let clause = exported.make_where_clause();
    for (part, input) in parts.iter().zip(&takes) {
        let layer = &part.field.ty;
        clause.predicates.push(syn::parse_quote!(#layer: ::taut::onnx::ExportOnnx<#input>));
    }
    let (_, _, export_clause) = exported.split_for_impl();
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let name = &input.ident;
    let last = outputs.last().expect("at least one field");
    let members: Vec<_> = parts.iter().map(|part| &part.member).collect();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::taut::nn::Module<TautInput> for #name #type_generics #where_clause {
            type Output = #last;
            #[allow(non_camel_case_types)]
            fn apply(&self, x: TautInput) -> Self::Output {
                #(let x = ::taut::nn::Forward::forward(&self.#members, x);)*
                x
            }
        }
        ::taut::if_onnx! {
            #[automatically_derived]
            impl #impl_generics ::taut::onnx::ExportOnnx<TautInput> for #name #type_generics #export_clause {
                fn export(
                    &self,
                    graph: &mut ::taut::onnx::Graph,
                    x: ::taut::onnx::Value<TautInput>,
                ) -> ::taut::onnx::Value<#last> {
                    #(let x = ::taut::onnx::ExportOnnx::export(&self.#members, graph, x);)*
                    x
                }
            }
        }
    })
}

/// Derives `Parameters`: the fields are visited in order, each under its name.
///
/// `#[parameters(name = "..")]` gives a field another name in files, and `#[parameters(skip)]` leaves out one that
/// holds no parameters: a number, a text, a closure.
#[proc_macro_derive(Parameters, attributes(parameters))]
pub fn derive_parameters(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    parameters(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn parameters(input: &DeriveInput) -> Result<Tokens> {
    let mut parts = parts(input, "Parameters")?;
    parts.retain(|part| !part.options.no_parameters);
    let mut seen = std::collections::HashSet::new();
    for part in &parts {
        if !seen.insert(part.name()) {
            let message = format!("two fields have the name `{}` in files", part.name());
            return Err(Error::new(part.field.span(), message));
        }
    }
    let generics = with_bounds(input, &parts, quote!(::taut::params::Parameters));
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let name = &input.ident;
    // spans of the fields' types: an error about a field is shown at the field
    let visits = parts.iter().map(|part| {
        let (field, member, name) = (part.field, &part.member, part.name());
        quote_spanned! {field.ty.span()=>
            path.at(#name, |path| ::taut::params::Parameters::visit(&self.#member, path, visitor));
        }
    });
    let visits_mut = parts.iter().map(|part| {
        let (field, member, name) = (part.field, &part.member, part.name());
        quote_spanned! {field.ty.span()=>
            path.at(#name, |path| ::taut::params::Parameters::visit_mut(&mut self.#member, path, visitor));
        }
    });
    Ok(quote! {
        #[automatically_derived]
        #[allow(unused_variables)]
        impl #impl_generics ::taut::params::Parameters for #name #type_generics #where_clause {
            fn visit(&self, path: &mut ::taut::params::ParameterPath, visitor: &mut dyn ::taut::params::Visitor) {
                #(#visits)*
            }
            fn visit_mut(
                &mut self,
                path: &mut ::taut::params::ParameterPath,
                visitor: &mut dyn ::taut::params::VisitorMut,
            ) {
                #(#visits_mut)*
            }
        }
    })
}

/// Derives `Init`: the fields are made in order from one generator.
///
/// `#[init(default)]` makes a field with `Default`, `#[init(value = ..)]` gives it a value: for fields that are not
/// layers.
#[proc_macro_derive(Init, attributes(init))]
pub fn derive_init(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    init(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn init(input: &DeriveInput) -> Result<Tokens> {
    let parts = parts(input, "Init")?;
    let drawn: Vec<_> = parts.iter().filter(|part| part.options.init.is_none()).collect();
    let generics = with_bounds(input, drawn, quote!(::taut::nn::Init));
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let name = &input.ident;
    let fields = parts.iter().map(|Part { field, member, options }| match &options.init {
        Some(value) => quote!(#member: #value,),
        None => quote_spanned!(field.ty.span()=> #member: ::taut::nn::Init::init(rng),),
    });
    Ok(quote! {
        #[automatically_derived]
        #[allow(unused_variables)]
        impl #impl_generics ::taut::nn::Init for #name #type_generics #where_clause {
            fn init<TautRng: ::taut::RandomSource + ?Sized>(rng: &mut TautRng) -> Self {
                Self { #(#fields)* }
            }
        }
    })
}

/// The struct's generics, with `bound` required of each field whose type depends on them.
fn with_bounds<'a>(input: &DeriveInput, parts: impl IntoIterator<Item = &'a Part<'a>>, bound: Tokens) -> syn::Generics {
    let mut generics = input.generics.clone();
    if generics.type_params().next().is_some() {
        let clause = generics.make_where_clause();
        for part in parts {
            let layer = &part.field.ty;
            clause.predicates.push(syn::parse_quote!(#layer: #bound));
        }
    }
    generics
}
