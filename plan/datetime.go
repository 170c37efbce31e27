package plan

import (
	"regexp"
	"strings"
)

// datetimeFields are what strftime's conversions look like in a log line.
// Source: Docker documentation, awslogs-datetime-format.
var datetimeFields = map[byte]string{
	'A': `(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)`,
	'a': `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)`,
	'B': `(?:January|February|March|April|May|June|July|August|September|October|November|December)`,
	'b': `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`,
	'd': `\d{2}`,
	'f': `(?:\d{6}|\d{3}|\d{9})`,
	'H': `\d{2}`,
	'I': `\d{2}`,
	'j': `\d{3}`,
	'L': `\.\d{3}`,
	'M': `\d{2}`,
	'm': `\d{2}`,
	'p': `[AP]M`,
	'S': `\d{2}`,
	'w': `\d`,
	'Y': `\d{4}`,
	'y': `\d{2}`,
	'Z': `[A-Z]{1,4}T`,
	'z': `[+-]\d{4}`,
	'%': `%`,
}

// DatetimePattern is the regular expression that finds a date of the given
// strftime format; a line that matches begins a new event.
func DatetimePattern(format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] == '%' && i+1 < len(format) {
			if field, ok := datetimeFields[format[i+1]]; ok {
				b.WriteString(field)
				i++
				continue
			}
		}
		b.WriteString(regexp.QuoteMeta(format[i : i+1]))
	}
	return b.String()
}
