package objectlog

import (
	"fmt"
	"strings"
)

// OrDash is a value as a line has it that may be empty.
func OrDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Quote puts a text in quotes; what could end them is escaped.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
