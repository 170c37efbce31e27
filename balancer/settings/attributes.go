package settings

import (
	"strconv"
	"time"
)

// Attributes are settings by AWS's keys. An attribute that is absent, or does not
// parse, is otherwise.
type Attributes map[string]string

func (a Attributes) text(key, otherwise string) string {
	if v, ok := a[key]; ok {
		return v
	}
	return otherwise
}

// Bool is an attribute that is true or false.
func (a Attributes) Bool(key string, otherwise bool) bool {
	v, err := strconv.ParseBool(a[key])
	if err != nil {
		return otherwise
	}
	return v
}

func (a Attributes) number(key string, otherwise int) int {
	v, err := strconv.Atoi(a[key])
	if err != nil {
		return otherwise
	}
	return v
}

// Seconds is an attribute that is a number of seconds.
func (a Attributes) Seconds(key string, otherwise int) time.Duration {
	return time.Duration(a.number(key, otherwise)) * time.Second
}
