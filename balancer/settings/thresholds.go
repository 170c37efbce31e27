package settings

// Thresholds are how many targets of a group must be healthy: so many, and so many of a
// hundred.
// Source: ELB user guides, "Target group health".
type Thresholds struct{ count, percentage int64 }

// readThresholds reads the two attributes whose keys begin with prefix.
func readThresholds(a Attributes, prefix string) Thresholds {
	return Thresholds{int64(a.number(prefix+"count", 1)), int64(a.number(prefix+"percentage", 0))}
}

// Met reports whether enough of all targets are healthy.
func (t Thresholds) Met(healthy, all int64) bool {
	return healthy >= t.count && healthy*100 >= all*t.percentage
}
