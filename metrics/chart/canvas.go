package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// canvas is a picture that is drawn on.
type canvas struct {
	image      *image.RGBA
	face       font.Face
	lineHeight int // of texts, in pixels
}

// fontSize is that of all texts, in pixels.
const fontSize = 12

func newCanvas(width, height int, paper color.Color) (*canvas, error) {
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("read font: %w", err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: fontSize, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, fmt.Errorf("read font: %w", err)
	}
	c := &canvas{image: image.NewRGBA(image.Rect(0, 0, width, height)), face: face, lineHeight: face.Metrics().Height.Ceil()}
	c.fill(c.image.Bounds(), paper)
	return c, nil
}

// fill fills a rectangle.
func (c *canvas) fill(r image.Rectangle, ink color.Color) {
	draw.Draw(c.image, r, image.NewUniform(ink), image.Point{}, draw.Src)
}

// width is that of a text, in pixels.
func (c *canvas) width(text string) int { return font.MeasureString(c.face, text).Ceil() }

// text writes a text with its upper left corner at a place.
func (c *canvas) text(text string, x, y int, ink color.Color) {
	d := font.Drawer{Dst: c.image, Src: image.NewUniform(ink), Face: c.face, Dot: fixed.P(x, y+c.face.Metrics().Ascent.Ceil())}
	d.DrawString(text)
}

// point is a place in an area, in pixels.
type point struct{ x, y float64 }

// stroke is a straight line.
type stroke struct{ from, to point }

// strokes draws lines of a width, cut off where the area ends.
func (c *canvas) strokes(area image.Rectangle, all []stroke, width float64, ink color.Color) {
	const around = 4 // more than half of a width
	r := vector.NewRasterizer(area.Dx()+2*around, area.Dy()+2*around)
	for _, s := range all {
		s, ok := s.within(float64(area.Dx()-1), float64(area.Dy()-1))
		if !ok {
			continue
		}
		dx, dy := s.to.x-s.from.x, s.to.y-s.from.y
		length := math.Hypot(dx, dy)
		if length == 0 {
			continue
		}
		// The corners go around in the same direction whatever that of the stroke: where
		// strokes overlap they do not cancel out.
		dx, dy = dx/length*width/2, dy/length*width/2
		corner := func(p point, along, across float64) (x, y float32) {
			return float32(p.x + along*dx - across*dy + around + 0.5), float32(p.y + along*dy + across*dx + around + 0.5)
		}
		r.MoveTo(corner(s.from, -1, 1))
		r.LineTo(corner(s.to, 1, 1))
		r.LineTo(corner(s.to, 1, -1))
		r.LineTo(corner(s.from, -1, -1))
		r.ClosePath()
	}
	r.Draw(c.image, area.Inset(-around), image.NewUniform(ink), image.Point{})
}

// within is the part of a stroke that is in a rectangle from (0, 0); ok is false when there
// is none.
func (s stroke) within(width, height float64) (part stroke, ok bool) {
	from, to := 0.0, 1.0 // of the stroke
	cut := func(at, step, limit float64) {
		switch {
		case step == 0 && (at < 0 || at > limit):
			from, to = 1, 0
		case step > 0:
			from, to = max(from, -at/step), min(to, (limit-at)/step)
		case step < 0:
			from, to = max(from, (limit-at)/step), min(to, -at/step)
		}
	}
	dx, dy := s.to.x-s.from.x, s.to.y-s.from.y
	cut(s.from.x, dx, width)
	cut(s.from.y, dy, height)
	return stroke{point{s.from.x + from*dx, s.from.y + from*dy}, point{s.from.x + to*dx, s.from.y + to*dy}}, from <= to
}

// dashes are the parts of a dashed line.
func dashes(from, to point) (all []stroke) {
	const dash, step = 4, 7
	length := math.Hypot(to.x-from.x, to.y-from.y)
	at := func(d float64) point {
		return point{from.x + (to.x-from.x)*d/length, from.y + (to.y-from.y)*d/length}
	}
	for d := 0.0; d < length; d += step {
		all = append(all, stroke{at(d), at(min(d+dash, length))})
	}
	return all
}
