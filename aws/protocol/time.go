package protocol

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// The formats a timestamp may travel in.
const (
	epoch   = "epoch"
	iso8601 = "iso8601"
	rfc822  = "rfc822"
	// milliseconds is ISO 8601 with three digits of milliseconds, in events.
	milliseconds = "milliseconds"
)

const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// appendEpoch writes seconds since 1970, with milliseconds where there are any.
func appendEpoch(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		return strconv.AppendFloat(b, float64(ms)/1000, 'f', -1, 64)
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if ms %= 1000; ms == 0 {
		return b
	}
	b = append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// appendISO writes "2026-01-02T15:04:05Z", with three digits of milliseconds
// where there are any or always is set.
func appendISO(b []byte, t time.Time, always bool) []byte {
	t = t.UTC()
	if always || t.Nanosecond() >= int(time.Millisecond) {
		return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05Z")
}

// appendTime writes t as text in a format.
func appendTime(b []byte, t time.Time, format string) []byte {
	switch format {
	case epoch:
		return appendEpoch(b, t)
	case rfc822:
		return t.UTC().AppendFormat(b, httpDate)
	}
	return appendISO(b, t, format == milliseconds)
}

// The years that AWS and RFC 3339 can write are 1 to 9999.
const (
	minEpoch = -62135596800 // 0001-01-01T00:00:00Z
	maxEpoch = 253402300799 // 9999-12-31T23:59:59Z
)

// writable gives t in UTC if it can be written.
func writable(t time.Time) (time.Time, error) {
	if s := t.Unix(); s < minEpoch || s > maxEpoch {
		return time.Time{}, fmt.Errorf("%d seconds is no time", s)
	}
	return t.UTC(), nil
}

// fromEpoch gives the time of a number of seconds, to the millisecond.
func fromEpoch(seconds float64) (time.Time, error) {
	if !(minEpoch <= seconds && seconds <= maxEpoch) {
		return time.Time{}, fmt.Errorf("%v seconds is no time", seconds)
	}
	return writable(time.UnixMilli(int64(math.Round(seconds * 1000))))
}

// isoLayouts are the forms of ISO 8601 that clients send. Fractions of a second
// are taken wherever seconds are.
var isoLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02", "20060102T150405Z",
}

// parseTime reads a time from text. AWS takes seconds since 1970 for ISO 8601
// too.
func parseTime(s, format string) (time.Time, error) {
	if format == rfc822 {
		t, err := time.Parse(httpDate, s)
		if err != nil {
			return t, err
		}
		return writable(t)
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return fromEpoch(seconds)
	}
	for _, layout := range isoLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return writable(t)
		}
	}
	return time.Time{}, fmt.Errorf("%q is no timestamp", s)
}
