// Package chart draws time series as CloudWatch's graphs show them: lines over time, with
// a legend and annotations. It knows pixels and colors; it refuses to know where series
// come from and how graphs are described.
package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"time"
)

// Chart is what is drawn.
type Chart struct {
	Title         string
	Width, Height int // in pixels
	Dark          bool
	Start, End    time.Time
	Zone          *time.Location // of the times on the axis; nil is UTC
	Lines         []Line
	// Minimum and Maximum are the ends of the vertical axis; nil for what the lines need.
	Minimum, Maximum *float64
	AxisLabel        string
	Horizontal       []Mark // at values
	Vertical         []Mark // at times, in seconds since the epoch
}

// Line is a time series.
type Line struct {
	Label  string
	Color  color.Color // nil for the next of the palette
	Times  []int64     // in seconds since the epoch, in ascending order
	Values []float64
	// Period is how far points are apart, in seconds: where there is more between two,
	// the line has a gap.
	Period int64
}

// Mark is an annotation.
type Mark struct {
	Label string
	At    float64
	Color color.Color // nil for a color of its own
}

// palette are the colors of lines that have none.
var palette = []color.Color{
	rgb(0x1f77b4), rgb(0xff7f0e), rgb(0x2ca02c), rgb(0xd62728), rgb(0x9467bd),
	rgb(0x8c564b), rgb(0xe377c2), rgb(0x7f7f7f), rgb(0xbcbd22), rgb(0x17becf),
}

var markColor = rgb(0xd62728)

func rgb(v uint32) color.Color {
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}

// theme are the colors of all that is no data.
type theme struct{ paper, ink, faint color.Color }

var (
	light = theme{color.White, rgb(0x16191f), rgb(0xe0e0e0)}
	dark  = theme{rgb(0x2a2e33), rgb(0xd5dbdb), rgb(0x50555a)}
)

// Draw writes a chart as PNG.
func Draw(w io.Writer, c *Chart) error {
	colors := light
	if c.Dark {
		colors = dark
	}
	canvas, err := newCanvas(c.Width, c.Height, colors.paper)
	if err != nil {
		return err
	}
	d := &drawing{Chart: c, canvas: canvas, theme: colors}
	d.layOut()
	d.axes()
	for _, m := range c.Horizontal {
		d.mark(m, d.minX, m.At, d.maxX, m.At)
	}
	for _, m := range c.Vertical {
		d.mark(m, m.At, d.minY, m.At, d.maxY)
	}
	for i := range c.Lines {
		d.line(&c.Lines[i], d.colorOf(i))
	}
	if err := png.Encode(w, canvas.image); err != nil {
		return fmt.Errorf("encode chart: %w", err)
	}
	return nil
}

// drawing is a chart on its way to a picture.
type drawing struct {
	*Chart
	*canvas
	theme
	area                   image.Rectangle // of the lines
	minX, maxX, minY, maxY float64         // at the area's ends
}

func (d *drawing) colorOf(i int) color.Color {
	if own := d.Lines[i].Color; own != nil {
		return own
	}
	return palette[i%len(palette)]
}

// The distances of texts, in pixels.
const (
	margin = 10
	gap    = 5
)

// layOut divides the picture, and draws title and legend.
func (d *drawing) layOut() {
	d.bound()
	top, bottom := margin, d.Height-margin
	if d.Title != "" {
		d.text(d.Title, (d.Width-d.width(d.Title))/2, top, d.ink)
		top += d.lineHeight + gap
	}
	if d.AxisLabel != "" {
		d.text(d.AxisLabel, margin, top, d.ink)
		top += d.lineHeight + gap
	}
	bottom = d.legend(bottom) - d.lineHeight - 2*gap
	left := 0
	for _, t := range valueTicks(d.minY, d.maxY, max(2, (bottom-top)/50)) {
		left = max(left, d.width(t.label))
	}
	d.area = image.Rect(margin+left+gap, top+gap, d.Width-3*margin, max(bottom, top+2*gap))
}

// bound finds the ends of the axes.
func (d *drawing) bound() {
	d.minX, d.maxX = float64(d.Start.Unix()), float64(d.End.Unix())
	d.minY, d.maxY = math.Inf(1), math.Inf(-1)
	see := func(v float64) { d.minY, d.maxY = min(d.minY, v), max(d.maxY, v) }
	for _, l := range d.Lines {
		for _, v := range l.Values {
			see(v)
		}
	}
	for _, m := range d.Horizontal {
		see(m.At)
	}
	if d.minY > d.maxY { // there is nothing to see
		d.minY, d.maxY = 0, 1
	}
	if d.Minimum != nil {
		d.minY = *d.Minimum
	}
	if d.Maximum != nil {
		d.maxY = *d.Maximum
	}
	if d.minY >= d.maxY {
		around := max(0.5, math.Abs(d.minY)/100)
		d.minY, d.maxY = d.minY-around, d.minY+around
	}
	if d.minX >= d.maxX {
		d.maxX = d.minX + 1
	}
}

// legend draws the labels of the lines from the bottom upwards, as far as they take no
// more than a third of the picture, and gives where it begins.
func (d *drawing) legend(bottom int) (top int) {
	const swatch = 12
	var rows [][]int
	x := d.Width
	for i := range d.Lines {
		n := swatch + gap + d.width(d.Lines[i].Label) + 2*margin
		if x+n > d.Width-margin {
			rows, x = append(rows, nil), margin
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], i)
		x += n
	}
	step := d.lineHeight + gap
	rows = rows[:min(len(rows), d.Height/3/step)]
	top = bottom - len(rows)*step
	for r, row := range rows {
		x, y := margin, top+r*step
		for _, i := range row {
			d.fill(image.Rect(x, y+d.lineHeight/2-1, x+swatch, y+d.lineHeight/2+2), d.colorOf(i))
			d.text(d.Lines[i].Label, x+swatch+gap, y, d.ink)
			x += swatch + gap + d.width(d.Lines[i].Label) + 2*margin
		}
	}
	return top
}

// axes draws both axes with their ticks, and a grid.
func (d *drawing) axes() {
	for _, t := range valueTicks(d.minY, d.maxY, max(2, d.area.Dy()/50)) {
		y := int(d.y(t.at)) + d.area.Min.Y
		d.fill(image.Rect(d.area.Min.X, y, d.area.Max.X, y+1), d.faint)
		d.text(t.label, d.area.Min.X-gap-d.width(t.label), y-d.lineHeight/2, d.ink)
	}
	zone := d.Zone
	if zone == nil {
		zone = time.UTC
	}
	for _, t := range timeTicks(d.Start, d.End, zone, max(2, d.area.Dx()/90)) {
		x := int(d.x(t.at)) + d.area.Min.X
		d.fill(image.Rect(x, d.area.Min.Y, x+1, d.area.Max.Y), d.faint)
		d.text(t.label, x-d.width(t.label)/2, d.area.Max.Y+gap, d.ink)
	}
	d.fill(image.Rect(d.area.Min.X, d.area.Max.Y, d.area.Max.X, d.area.Max.Y+1), d.ink)
}

// x and y are where in the area something is, in pixels.
func (d *drawing) x(t float64) float64 {
	return (t - d.minX) / (d.maxX - d.minX) * float64(d.area.Dx()-1)
}

func (d *drawing) y(v float64) float64 {
	return (d.maxY - v) / (d.maxY - d.minY) * float64(d.area.Dy()-1)
}

// line draws a line, and a dot where a point has none next to it.
func (d *drawing) line(l *Line, ink color.Color) {
	var strokes []stroke
	joined := func(i int) bool { return i > 0 && i < len(l.Times) && l.Times[i]-l.Times[i-1] <= l.Period }
	for i, t := range l.Times {
		here := point{d.x(float64(t)), d.y(l.Values[i])}
		switch {
		case joined(i):
			strokes = append(strokes, stroke{point{d.x(float64(l.Times[i-1])), d.y(l.Values[i-1])}, here})
		case !joined(i + 1):
			strokes = append(strokes, stroke{point{here.x - 1, here.y}, point{here.x + 1, here.y}})
		}
	}
	d.strokes(d.area, strokes, 1.5, ink)
}

// mark draws an annotation from one place to another, dashed, with its label.
func (d *drawing) mark(m Mark, x0, y0, x1, y1 float64) {
	ink := m.Color
	if ink == nil {
		ink = markColor
	}
	from, to := point{d.x(x0), d.y(y0)}, point{d.x(x1), d.y(y1)}
	d.strokes(d.area, dashes(from, to), 1, ink)
	if at := image.Pt(int(from.x), int(from.y)).Add(d.area.Min); at.In(d.area) {
		d.text(m.Label, at.X+gap, at.Y-d.lineHeight-1, ink)
	}
}
