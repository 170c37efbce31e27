package metrics

// StatisticSet is what is known of the samples of a period. The zero value is that of no
// samples. It is not changed after it was made.
type StatisticSet struct {
	// Count is how many samples there are. It may be a fraction.
	Count                 float64
	Sum, Minimum, Maximum float64

	// values are what the samples were. They are nil when all have one value, and when
	// that is not known.
	values *distribution
	// opaque says that it is not known what the samples were.
	opaque bool
}

// Value is the set of one sample.
func Value(v float64) StatisticSet { return Values(v, 1) }

// Values is the set of count samples of one value.
func Values(v, count float64) StatisticSet {
	if count == 0 {
		return StatisticSet{}
	}
	v = unsigned(v)
	return StatisticSet{Count: count, Sum: v * count, Minimum: v, Maximum: v}
}

// Statistics is the set of samples of which no more is known than these four numbers.
// What needs the samples themselves cannot be computed of it, unless all are the same.
func Statistics(count, sum, minimum, maximum float64) StatisticSet {
	if minimum == maximum && sum == minimum*count {
		return Values(minimum, count)
	}
	if count == 0 {
		return StatisticSet{}
	}
	return StatisticSet{Count: count, Sum: unsigned(sum), Minimum: unsigned(minimum), Maximum: unsigned(maximum), opaque: true}
}

// unsigned is a number without the sign of a zero, which would depend on the order in
// which sets are merged.
func unsigned(v float64) float64 {
	if v == 0 {
		return 0
	}
	return v
}

// Merge is the set of all samples of two.
func (s StatisticSet) Merge(o StatisticSet) StatisticSet {
	switch {
	case o.Count == 0:
		return s
	case s.Count == 0:
		return o
	}
	m := StatisticSet{
		Count:   s.Count + o.Count,
		Sum:     s.Sum + o.Sum,
		Minimum: min(s.Minimum, o.Minimum),
		Maximum: max(s.Maximum, o.Maximum),
		opaque:  s.opaque || o.opaque,
	}
	switch {
	case m.opaque:
	case m.Minimum == m.Maximum:
		m.Sum = m.Minimum * m.Count // as it is decoded
	default:
		m.values = s.distribution().merge(o.distribution())
	}
	return m
}

// distribution is what the samples were; the set is not opaque.
func (s StatisticSet) distribution() *distribution {
	if s.values != nil {
		return s.values
	}
	return &distribution{exact: []weighted{{s.Minimum, s.Count}}}
}

// samples are the values of the samples, in ascending order, each with how many there
// are; ok is false when that is not known. Of many different ones they are near what
// they were.
func (s StatisticSet) samples() (all []weighted, ok bool) {
	if s.opaque || s.Count == 0 {
		return nil, false
	}
	return s.distribution().samples(s.Minimum, s.Maximum), true
}
