package balancer

import (
	"strconv"
	"time"
)

// attributes are settings by AWS's keys. What is absent or does not parse has
// the default given.
type attributes map[string]string

func (a attributes) text(key, otherwise string) string {
	if v, ok := a[key]; ok {
		return v
	}
	return otherwise
}

func (a attributes) on(key string, otherwise bool) bool {
	v, err := strconv.ParseBool(a[key])
	if err != nil {
		return otherwise
	}
	return v
}

func (a attributes) number(key string, otherwise int) int {
	v, err := strconv.Atoi(a[key])
	if err != nil {
		return otherwise
	}
	return v
}

func (a attributes) seconds(key string, otherwise int) time.Duration {
	return time.Duration(a.number(key, otherwise)) * time.Second
}

// value is what p points to, or its zero.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
