package chart

import (
	"math"
	"strconv"
	"time"
)

// tick is a place on an axis with a label.
type tick struct {
	at    float64
	label string
}

// valueTicks are about n ticks between two values, at multiples of 1, 2 or 5 and a power of
// ten.
func valueTicks(low, high float64, n int) (all []tick) {
	const rounding = 1e-9
	rough := (high - low) / float64(n) * (1 + rounding)
	step := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, times := range []float64{5, 2} {
		if step*times <= rough {
			step *= times
			break
		}
	}
	first := math.Ceil(low/step - rounding)
	for i := range 2*n + 2 {
		v := (first + float64(i)) * step
		if !(v <= high+step*rounding) || math.IsInf(v, 0) { // nor if it is no number
			break
		}
		if v == 0 {
			v = 0 // without a sign
		}
		all = append(all, tick{v, strconv.FormatFloat(v, 'g', 6, 64)})
	}
	return all
}

const day = 24 * time.Hour

// timeSteps are how far ticks of times may be apart.
var timeSteps = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute,
	30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day,
}

// timeTicks are at most n ticks between two times.
func timeTicks(start, end time.Time, zone *time.Location, n int) (all []tick) {
	step := timeSteps[0]
	for _, step = range timeSteps {
		if end.Sub(start)/step <= time.Duration(n) {
			break
		}
	}
	step = max(step, end.Sub(start)/time.Duration(n))
	format := "15:04"
	switch {
	case step < time.Minute:
		format = "15:04:05"
	case step >= day:
		format = "01-02"
	case end.Sub(start) > day:
		format = "01-02 15:04"
	}
	// Whole days, and parts of them, begin by the zone's clock.
	_, offset := start.In(zone).Zone()
	shift := time.Duration(offset) * time.Second
	for t := start.Add(shift).Truncate(step).Add(-shift); !t.After(end); t = t.Add(step) {
		if !t.Before(start) {
			all = append(all, tick{float64(t.Unix()), t.In(zone).Format(format)})
		}
	}
	return all
}
