package plan

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"fargo/aws"
	"fargo/aws/events"
	"fargo/record"
)

// EventInput is what a target of a rule is given for an event: the event itself, or what
// the target's Input, InputPath or InputTransformer makes of it. A path that leads to
// nothing gives null. received is when EventBridge got the event.
func EventInput(rule *record.EventRule, t *events.Target, event string, received time.Time) string {
	switch {
	case t.Input != nil:
		return *t.Input
	case t.InputPath != nil:
		if v, ok := jsonAt(event, *t.InputPath); ok {
			return v
		}
		return "null"
	case t.InputTransformer != nil:
		return transform(rule, t.InputTransformer, event, received)
	}
	return event
}

// predefined are the variables that every input template has.
// Source: EventBridge user guide, "Input transformation".
var predefined = map[string]func(rule *record.EventRule, event string, received time.Time) string{
	"aws.events.rule-arn":  func(r *record.EventRule, _ string, _ time.Time) string { return quoted(aws.Value(r.Rule.Arn)) },
	"aws.events.rule-name": func(r *record.EventRule, _ string, _ time.Time) string { return quoted(aws.Value(r.Rule.Name)) },
	"aws.events.event.ingestion-time": func(_ *record.EventRule, _ string, received time.Time) string {
		return quoted(EventTime(received))
	},
	"aws.events.event":      func(_ *record.EventRule, event string, _ time.Time) string { return withoutDetail(event) },
	"aws.events.event.json": func(_ *record.EventRule, event string, _ time.Time) string { return event },
}

// EventTime is a time as events have it.
func EventTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has JSON
	}
	return string(b)
}

// withoutDetail is an event without its detail, with the names that templates give it
// (recorded).
func withoutDetail(event string) string {
	var out bytes.Buffer
	out.WriteByte('{')
	eachMember(event, func(name, value string) {
		if name == "detail" {
			return
		}
		if name == "detail-type" {
			name = "detailType"
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.WriteString(quoted(name) + ":" + value)
	})
	out.WriteByte('}')
	return out.String()
}

// transform fills in the variables of a template. In a string of the template a value
// stands without its quotes; elsewhere it is JSON.
func transform(rule *record.EventRule, t *events.InputTransformer, event string, received time.Time) string {
	var out strings.Builder
	eachTemplatePart(*t.InputTemplate, func(text, variable string, inString bool) {
		out.WriteString(text)
		if variable == "" {
			return
		}
		value := `""`
		if of, ok := predefined[variable]; ok {
			value = of(rule, event, received)
		} else if v, ok := jsonAt(event, t.InputPathsMap[variable]); ok {
			value = v
		}
		if inString {
			value = bare(value)
		}
		out.WriteString(value)
	})
	return out.String()
}

// bare is a JSON value inside a string: of a string what is between its quotes, of others
// all but the quotes (recorded).
func bare(value string) string {
	if strings.HasPrefix(value, `"`) {
		return value[1 : len(value)-1]
	}
	return strings.ReplaceAll(value, `"`, "")
}

// eachTemplatePart takes a template apart: it calls f with a text and the variable that
// follows it, "" at the end, and whether that is inside a string.
func eachTemplatePart(template string, f func(text, variable string, inString bool)) {
	begin, inString := 0, false
	for i := 0; i < len(template); i++ {
		switch template[i] {
		case '\\':
			i++
		case '"':
			inString = !inString
		case '<':
			if name, _, closed := strings.Cut(template[i+1:], ">"); closed && isVariable(name) {
				f(template[begin:i], name, inString)
				i += len(name) + 1
				begin = i + 1
			}
		}
	}
	f(template[begin:], "", inString)
}

func isVariable(name string) bool {
	return name != "" && !strings.ContainsAny(name, " \t\r\n\"<>")
}

// TemplateVariables are the variables that a template uses and that are neither given nor
// predefined, in order.
func TemplateVariables(t *events.InputTransformer) (unknown []string) {
	eachTemplatePart(*t.InputTemplate, func(_, variable string, _ bool) {
		_, given := t.InputPathsMap[variable]
		if variable != "" && !given && predefined[variable] == nil {
			unknown = append(unknown, variable)
		}
	})
	return unknown
}
