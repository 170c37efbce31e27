package chart

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
	"time"
)

var start = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func line(values ...float64) Line {
	l := Line{Label: "requests", Color: color.RGBA{R: 255, A: 255}, Period: 60}
	for i, v := range values {
		if v >= 0 {
			l.Times, l.Values = append(l.Times, start.Unix()+int64(i)*60), append(l.Values, v)
		}
	}
	return l
}

func drawn(t *testing.T, c Chart) image.Image {
	t.Helper()
	c.Width, c.Height, c.Start, c.End = 600, 395, start, start.Add(10*time.Minute)
	var b bytes.Buffer
	if err := Draw(&b, &c); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s.X != 600 || s.Y != 395 {
		t.Errorf("the size is %v", s)
	}
	return img
}

// reds are the columns, below the legend, in which something is red.
func reds(img image.Image) (columns map[int][]int) {
	columns = map[int][]int{}
	for y := 40; y < img.Bounds().Dy(); y++ {
		for x := range img.Bounds().Dx() {
			if r, g, b, _ := img.At(x, y).RGBA(); r > 0xc000 && g < 0x6000 && b < 0x6000 {
				columns[x] = append(columns[x], y)
			}
		}
	}
	return columns
}

// A line rises to the right where its values do, and has a gap where there are none.
func TestLines(t *testing.T) {
	left, right := 600, 0
	columns := reds(drawn(t, Chart{Title: "t", Lines: []Line{line(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)}}))
	for x := range columns {
		left, right = min(left, x), max(right, x)
	}
	if right-left < 400 || columns[left][0] <= columns[right][0] {
		t.Errorf("from %d %v to %d %v", left, columns[left], right, columns[right])
	}
	with := len(reds(drawn(t, Chart{Lines: []Line{line(3, 3, 3, 4, 3, 3, 3, 3, 3, 3)}})))
	without := len(reds(drawn(t, Chart{Lines: []Line{line(3, 3, 3, -1, -1, -1, -1, 3, 3, 4)}})))
	if without > with*2/3 {
		t.Errorf("red columns: %d, with a gap %d", with, without)
	}
}

// Whatever there is to see, a picture comes out.
func TestCharts(t *testing.T) {
	for name, c := range map[string]Chart{
		"nothing":     {},
		"empty":       {Lines: []Line{line()}},
		"one point":   {Lines: []Line{line(5)}},
		"all same":    {Lines: []Line{line(5, 5, 5)}, Dark: true},
		"axis":        {Lines: []Line{line(5, 6)}, Minimum: new(-1.0), Maximum: new(100.0), AxisLabel: "percent"},
		"enormous":    {Lines: []Line{line(1e108, 1e108)}},
		"both":        {Lines: []Line{line(1e108, 1e-108)}},
		"inverted":    {Lines: []Line{line(5, 6)}, Minimum: new(10.0), Maximum: new(1.0)},
		"annotations": {Horizontal: []Mark{{"limit", 7, nil}}, Vertical: []Mark{{"deployed", float64(start.Unix() + 120), color.RGBA{R: 255, A: 255}}}},
	} {
		t.Run(name, func(t *testing.T) {
			img := drawn(t, c)
			if name == "annotations" && len(reds(img)) == 0 {
				t.Error("the annotation is not there")
			}
			dark := img.At(1, 1)
			if r, _, _, _ := dark.RGBA(); (r < 0x8000) != c.Dark {
				t.Errorf("the background is %v", dark)
			}
		})
	}
}

// Ticks are at round values and times, as many as there is room for.
func TestTicks(t *testing.T) {
	labels := func(ticks []tick) (text string) {
		for _, tick := range ticks {
			text += tick.label + " "
		}
		return text
	}
	for _, c := range []struct {
		low, high float64
		n         int
		want      string
	}{
		{0, 10, 5, "0 2 4 6 8 10 "},
		{-0.3, 0.31, 4, "-0.3 -0.2 -0.1 0 0.1 0.2 0.3 "},
		{3, 3.9, 2, "3 3.2 3.4 3.6 3.8 "},
		{1e108, 2e108, 2, "1e+108 1.5e+108 2e+108 "},
		{95, 1234, 4, "200 400 600 800 1000 1200 "},
	} {
		if got := labels(valueTicks(c.low, c.high, c.n)); got != c.want {
			t.Errorf("%g to %g: %s, want %s", c.low, c.high, got, c.want)
		}
	}
	zone := time.FixedZone("", 2*3600)
	for _, c := range []struct {
		length time.Duration
		want   string
	}{
		{time.Minute, "14:00:30 14:00:45 14:01:00 14:01:15 14:01:30 "},
		{3 * time.Hour, "14:30 15:00 15:30 16:00 16:30 17:00 "},
		{7 * 24 * time.Hour, "06-02 06-03 06-04 06-05 06-06 06-07 06-08 "},
		{10 * 365 * 24 * time.Hour, "12-31 "},
	} {
		got := labels(timeTicks(start.Add(30*time.Second), start.Add(30*time.Second).Add(c.length), zone, 7))
		if got != c.want && c.length < 365*24*time.Hour || got == "" {
			t.Errorf("%v: %s, want %s", c.length, got, c.want)
		}
	}
}
