//! The derive macros of taut: `Module`, `Parameters` and `Init`. Use them through `taut::prelude`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Index, LitStr, Member, Result, parse_macro_input};

/// A field, how to name it in code, and its name in files.
struct Part<'a> {
    field: &'a Field,
    member: Member,
    name: String,
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
        let own_name = match &member {
            Member::Named(ident) => ident.to_string().trim_start_matches("r#").to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        };
        Ok(Part { field, member, name: given_name(field)?.unwrap_or(own_name) })
    };
    data.fields.iter().enumerate().map(part).collect()
}

/// The name in `#[parameters(name = "..")]`.
fn given_name(field: &Field) -> Result<Option<String>> {
    let mut name = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("parameters")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("unknown option: `#[parameters(name = \"..\")]` renames a field in files"));
            }
            let literal: LitStr = meta.value()?.parse()?;
            let text = literal.value();
            if text.is_empty() || text.contains('.') {
                return Err(Error::new(literal.span(), "a parameter's name is not empty and has no dot"));
            }
            name = Some(text);
            Ok(())
        })?;
    }
    Ok(name)
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
#[proc_macro_derive(Module)]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    module(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn module(input: &DeriveInput) -> Result<Tokens> {
    let parts = parts(input, "Module")?;
    if parts.is_empty() {
        let message = "`Module` runs the fields in order, and there is none: implement `Module` by hand";
        return Err(Error::new(input.ident.span(), message));
    }
    let mut generics = input.generics.clone();
    generics.params.push(syn::parse_quote!(TautInput));
    let outputs: Vec<_> = (0..parts.len()).map(|i| format_ident!("TautOutput{i}")).collect();
    let takes = std::iter::once(format_ident!("TautInput")).chain(outputs.iter().cloned());
    let clause = generics.make_where_clause();
    for ((part, input), output) in parts.iter().zip(takes).zip(&outputs) {
        let layer = &part.field.ty;
        // named outputs instead of projections: a private type of a field may stand in a bound, not in `Output`
        clause.predicates.push(syn::parse_quote!(#layer: ::taut::nn::Module<#input, Output = #output>));
    }
    for output in &outputs {
        generics.params.push(syn::parse_quote!(#output));
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let name = &input.ident;
    let last = outputs.last().expect("at least one field");
    let members = parts.iter().map(|part| &part.member);
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
    })
}

/// Derives `Parameters`: the fields are visited in order, each under its name.
///
/// `#[parameters(name = "..")]` gives a field another name in files.
#[proc_macro_derive(Parameters, attributes(parameters))]
pub fn derive_parameters(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    parameters(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn parameters(input: &DeriveInput) -> Result<Tokens> {
    let parts = parts(input, "Parameters")?;
    let mut seen = std::collections::HashSet::new();
    for part in &parts {
        if !seen.insert(part.name.clone()) {
            let message = format!("two fields have the name `{}` in files", part.name);
            return Err(Error::new(part.field.span(), message));
        }
    }
    let generics = with_bounds(input, &parts, quote!(::taut::nn::Parameters));
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let name = &input.ident;
    // spans of the fields' types: an error about a field is shown at the field
    let visits = parts.iter().map(|Part { field, member, name }| {
        quote_spanned!(field.ty.span()=> path.at(#name, |path| ::taut::nn::Parameters::visit(&self.#member, path, visitor));)
    });
    let visits_mut = parts.iter().map(|Part { field, member, name }| {
        quote_spanned!(field.ty.span()=> path.at(#name, |path| ::taut::nn::Parameters::visit_mut(&mut self.#member, path, visitor));)
    });
    Ok(quote! {
        #[automatically_derived]
        #[allow(unused_variables)]
        impl #impl_generics ::taut::nn::Parameters for #name #type_generics #where_clause {
            fn visit(&self, path: &mut ::taut::nn::Path, visitor: &mut dyn ::taut::nn::Visitor) {
                #(#visits)*
            }
            fn visit_mut(&mut self, path: &mut ::taut::nn::Path, visitor: &mut dyn ::taut::nn::VisitorMut) {
                #(#visits_mut)*
            }
        }
    })
}

/// Derives `Init`: the fields are made in order from one generator.
#[proc_macro_derive(Init)]
pub fn derive_init(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    init(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn init(input: &DeriveInput) -> Result<Tokens> {
    let parts = parts(input, "Init")?;
    let generics = with_bounds(input, &parts, quote!(::taut::nn::Init));
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let name = &input.ident;
    let fields = parts
        .iter()
        .map(|Part { field, member, .. }| quote_spanned!(field.ty.span()=> #member: ::taut::nn::Init::init(rng),));
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
fn with_bounds(input: &DeriveInput, parts: &[Part<'_>], bound: Tokens) -> syn::Generics {
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
