package main

import (
	"strings"
	"unicode"
)

// packageName is the Go package of a service, which is called as botocore's folder is.
func packageName(service string) string { return strings.ReplaceAll(service, "-", "") }

// goName is a model's name as an exported Go identifier.
func goName(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "-", ""), "_", "")
	return strings.ToUpper(s[:1]) + s[1:]
}

// constName is an enum's value as the tail of a constant's name: FARGATE_SPOT
// gives FargateSpot, t2.micro gives T2Micro, awsvpc gives Awsvpc.
func constName(v string) string {
	words := strings.FieldsFunc(v, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var b strings.Builder
	for _, w := range words {
		if w == strings.ToUpper(w) {
			w = strings.ToLower(w)
		}
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}
