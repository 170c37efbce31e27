package plan

import (
	"time"

	"fargo"
)

// Datum is samples of a metric of CloudWatch at a time. Of its samples, Values and Counts
// say all there is to know.
type Datum struct {
	Scope      fargo.Scope
	Namespace  string // "AWS/ECS"
	Name       string
	Dimensions []MetricDimension
	Unit       string // CloudWatch's name of it
	Time       time.Time
	// HighResolution data are kept by the second, others by the minute.
	HighResolution bool
	// Values are the samples, and Counts, where there are any, how often there was each.
	Values, Counts []float64
}

// MetricDimension is a part of a metric's identity.
type MetricDimension struct{ Name, Value string }
