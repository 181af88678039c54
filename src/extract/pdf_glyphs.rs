//! What a PDF page draws, as placed glyphs, ruling lines and image area. Owns the drawing device; does not order or join anything.

use std::collections::HashMap;

use hayro::hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro::hayro_interpret::hayro_cmap::WritingMode;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};
use hayro::hayro_syntax::object::{Dict, String as PdfString};
use hayro::kurbo::{Affine, BezPath, PathEl, Point, Rect, Shape, Vec2};

use crate::pdf_unicode::{self, Decoder};

/// Most glyphs of one page that are kept; what lies behind it is no page for people.
const GLYPHS_PER_PAGE: usize = 400_000;
const RULES_PER_PAGE: usize = 4_000;

/// What the marked content around a glyph says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tag {
    #[default]
    None,
    Artifact,
    Heading(u8),
    Paragraph,
    ListItem,
    Cell,
}

/// A glyph in the frame of its own direction: `x` runs along the line, `y` from line to line.
#[derive(Debug, Clone)]
pub(crate) struct Glyph {
    pub text: String,
    pub x0: f32,
    pub x1: f32,
    pub base: f32,
    pub size: f32,
    /// Direction of writing in degrees, clockwise on the page; vertical writing is 90.
    pub angle: i16,
    pub bold: bool,
    pub tag: Tag,
}

/// A horizontal ruling line, in page coordinates with y downwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub x0: f32,
    pub x1: f32,
    pub y: f32,
}

/// The device that listens to a page being drawn.
pub(crate) struct Collector<'d> {
    pub glyphs: Vec<Glyph>,
    pub rules: Vec<Rule>,
    /// Largest share of the page that one image covers, 0 to 1.
    pub image_share: f32,
    pub paths: usize,
    /// Glyphs that were drawn but have no known character.
    pub unknown: usize,
    bounds: Rect,
    decoder: &'d mut Decoder,
    marks: Vec<Mark>,
    seen: HashMap<(char, i32), Vec<f32>>,
}

struct Mark {
    tag: Tag,
    actual: Option<String>,
    used: bool,
}

impl<'d> Collector<'d> {
    pub fn new(bounds: Rect, decoder: &'d mut Decoder) -> Self {
        Self {
            glyphs: Vec::new(),
            rules: Vec::new(),
            image_share: 0.0,
            paths: 0,
            unknown: 0,
            bounds,
            decoder,
            marks: Vec::new(),
            seen: HashMap::new(),
        }
    }

    fn tag(&self) -> Tag {
        if self.marks.iter().any(|mark| mark.tag == Tag::Artifact) {
            return Tag::Artifact;
        }
        self.marks.iter().rev().map(|mark| mark.tag).find(|tag| *tag != Tag::None).unwrap_or_default()
    }

    /// The replacement text of the innermost mark that has one: the first glyph takes it, the others take nothing.
    fn actual(&mut self) -> Option<String> {
        let mark = self.marks.iter_mut().rev().find(|mark| mark.actual.is_some())?;
        if mark.used {
            return Some(String::new());
        }
        mark.used = true;
        mark.actual.clone()
    }

    /// Whether the same character already stands at this place (bold faked by drawing twice, fill and stroke apart).
    fn is_repeat(&mut self, first: char, placed: &Placed) -> bool {
        let Placed { x0: x, x1, base, size, .. } = *placed;
        let near = (0.12 * size).min(0.4 * (x1 - x));
        let row = (base / (0.25 * size).max(0.5)).round() as i32;
        let known = self.seen.entry((first, row)).or_default();
        let repeat = known.iter().rev().take(96).any(|at| (at - x).abs() < near);
        if !repeat {
            known.push(x);
        }
        repeat
    }

    fn push(&mut self, placed: &Placed, text: String, bold: bool) {
        let Some(first) = text.chars().next() else {
            self.widen(placed);
            return;
        };
        if first != ' ' && self.is_repeat(first, placed) {
            return;
        }
        let Placed { x0, x1, base, size, angle, .. } = *placed;
        let tag = self.tag();
        self.glyphs.push(Glyph { text, x0, x1, base, size, angle, bold, tag });
    }

    /// A glyph without text of its own belongs to the one before it.
    fn widen(&mut self, placed: &Placed) {
        if let Some(last) = self.glyphs.last_mut()
            && last.angle == placed.angle
            && (last.base - placed.base).abs() < 0.3 * last.size
            && placed.x1 > last.x1
        {
            last.x1 = placed.x1;
        }
    }

    fn segment(&mut self, from: Point, to: Point) {
        if self.rules.len() >= RULES_PER_PAGE {
            return;
        }
        let (dx, dy) = ((to.x - from.x).abs(), (to.y - from.y).abs());
        if dx > 8.0 && dy < 1.0 {
            let (x0, x1) = (from.x.min(to.x) as f32, from.x.max(to.x) as f32);
            self.rules.push(Rule { x0, x1, y: from.y as f32 });
        }
    }

    fn rectangle(&mut self, rect: &Rect, stroked: bool) {
        if rect.width() > 8.0 && rect.height() < 3.0 {
            let y = rect.center().y;
            self.segment(Point::new(rect.x0, y), Point::new(rect.x1, y));
        } else if stroked && rect.width() > 8.0 {
            self.segment(Point::new(rect.x0, rect.y0), Point::new(rect.x1, rect.y0));
            self.segment(Point::new(rect.x0, rect.y1), Point::new(rect.x1, rect.y1));
        }
    }
}

/// Where a glyph stands, in the frame of its direction.
struct Placed {
    x0: f32,
    x1: f32,
    base: f32,
    size: f32,
    angle: i16,
    origin: Point,
    /// Width and height of the em are not the same: squeezed text, or a stand-in font stretched glyph by glyph.
    stretch: f32,
}

/// Turn a point into the frame of a direction: along the line, and from line to line.
pub(crate) fn to_frame(point: Point, angle: i16) -> (f64, f64) {
    let (sin, cos) = f64::from(angle).to_radians().sin_cos();
    (point.x * cos + point.y * sin, point.y * cos - point.x * sin)
}

/// Directions near an upright one are upright; others keep steps of five degrees.
fn round_angle(degrees: f64) -> i16 {
    let quarter = (degrees / 90.0).round() * 90.0;
    let angle = if (degrees - quarter).abs() < 4.0 { quarter } else { (degrees / 5.0).round() * 5.0 };
    (angle as i16).rem_euclid(360)
}

fn advance_of(glyph: &Drawn<'_>) -> f64 {
    let advance = match glyph {
        Drawn::Outline(outline) => outline.advance_width(),
        Drawn::Type3(type3) => type3.advance_width(),
    };
    f64::from(advance.unwrap_or(500.0))
}

fn to_vector(matrix: Affine, x: f64, y: f64) -> Vec2 {
    (matrix * Point::new(x, y)) - (matrix * Point::ZERO)
}

fn place(matrix: Affine, advance: f64, vertical: bool) -> Option<Placed> {
    let right = to_vector(matrix, 1000.0, 0.0);
    let along = right.hypot();
    if !along.is_finite() || along < 1e-3 {
        return None;
    }
    // The height of the em across the line, also of slanted letters.
    let size = (matrix.determinant() * 1e6 / along).abs();
    if !size.is_finite() || !(0.1..5_000.0).contains(&size) {
        return None;
    }
    let origin = matrix.translation().to_point();
    let width = advance / 1000.0 * along;
    let angle = round_angle(right.atan2().to_degrees());
    let stretch = (along / size) as f32;
    if vertical {
        // The origin is the lower left of an upright em box; the line runs down the page.
        let centre = origin + right * (advance / 2000.0);
        let angle = (angle + 90).rem_euclid(360);
        let (x, y) = to_frame(centre, angle);
        return Some(Placed {
            x0: (x - 0.88 * size) as f32,
            x1: (x + 0.12 * size) as f32,
            base: (y + 0.4 * size) as f32,
            size: size as f32,
            angle,
            origin,
            stretch: 1.0,
        });
    }
    let (from, base) = to_frame(origin, angle);
    let to = from + width;
    let (x0, x1) = (from.min(to) as f32, from.max(to) as f32);
    Some(Placed { x0, x1, base: base as f32, size: size as f32, angle, origin, stretch })
}

/// Glyphs of one run share the squeeze of the text state; where it differs from glyph to glyph the font is a stretched
/// stand-in, and the widths of the document already say how far each glyph goes.
fn undo_stand_in_stretch(placed: &mut [Option<Placed>]) {
    let mut ratios = placed.iter().flatten().map(|p| p.stretch);
    let Some(first) = ratios.next() else { return };
    if ratios.all(|ratio| (ratio - first).abs() < 0.005) {
        return;
    }
    for p in placed.iter_mut().flatten() {
        p.x1 = p.x0 + (p.x1 - p.x0) / p.stretch.max(0.01);
    }
}

fn tag_of(name: &[u8]) -> Tag {
    match name {
        b"Artifact" => Tag::Artifact,
        b"H" | b"Title" => Tag::Heading(1),
        [b'H', digit @ b'1'..=b'6'] => Tag::Heading(digit - b'0'),
        b"P" => Tag::Paragraph,
        b"LI" | b"LBody" | b"Lbl" => Tag::ListItem,
        b"TD" | b"TH" => Tag::Cell,
        _ => Tag::None,
    }
}

impl<'a> Device<'a> for Collector<'_> {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, draw_mode: &DrawMode) {
        self.paths += 1;
        if self.rules.len() >= RULES_PER_PAGE || path.elements().len() > 64 {
            return;
        }
        if matches!(draw_mode, DrawMode::Fill(_)) {
            let bounds = props.transform.transform_rect_bbox(path.bounding_box());
            self.rectangle(&bounds, false);
            return;
        }
        let (mut start, mut last) = (Point::ZERO, Point::ZERO);
        for element in path.elements() {
            let next = match *element {
                PathEl::MoveTo(p) => {
                    start = props.transform * p;
                    last = start;
                    continue;
                }
                PathEl::LineTo(p) => props.transform * p,
                PathEl::ClosePath => start,
                PathEl::QuadTo(_, p) | PathEl::CurveTo(_, _, p) => {
                    last = props.transform * p;
                    continue;
                }
            };
            self.segment(last, next);
            last = next;
        }
    }

    fn draw_rect(&mut self, rect: &Rect, props: DrawProps<'a>, draw_mode: &DrawMode) {
        self.paths += 1;
        let bounds = props.transform.transform_rect_bbox(*rect);
        self.rectangle(&bounds, !matches!(draw_mode, DrawMode::Fill(_)));
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let room = GLYPHS_PER_PAGE.saturating_sub(self.glyphs.len());
        let glyphs = &run.glyphs()[..run.glyphs().len().min(room)];
        let Some(first) = glyphs.first() else { return };
        let vertical = run.writing_mode() == WritingMode::Vertical;
        let bold = self.decoder.start_run(first);
        let mut placed: Vec<_> =
            glyphs.iter().map(|g| place(props.transform * g.transform(), advance_of(g), vertical)).collect();
        undo_stand_in_stretch(&mut placed);
        for (glyph, placed) in glyphs.iter().zip(placed) {
            let Some(placed) = placed.filter(|p| self.bounds.contains(p.origin)) else { continue };
            let text = self.actual().or_else(|| self.decoder.decode(glyph));
            if let Some(text) = text {
                self.push(&placed, text, bold);
            } else {
                self.unknown += 1;
            }
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        let pixels = f64::from(image.width()) * f64::from(image.height());
        let share = props.transform.determinant().abs() * pixels / self.bounds.area().max(1.0);
        self.image_share = self.image_share.max(share.min(1.0) as f32);
    }

    fn begin_marked_content(&mut self, tag: &[u8], properties: Option<&Dict<'_>>) {
        let actual = properties
            .and_then(|dict| dict.get::<PdfString<'_>>(b"ActualText".as_slice()))
            .map(|text| pdf_unicode::text_string(text.as_bytes()));
        self.marks.push(Mark { tag: tag_of(tag), actual, used: false });
    }

    fn end_marked_content(&mut self) {
        self.marks.pop();
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
