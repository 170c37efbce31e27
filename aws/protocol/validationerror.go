package protocol

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
)

// validationFormat is how a service reports an input that breaks the bounds of its
// model.
type validationFormat struct {
	code    string
	missing string            // the code for what is required, if it is another
	byOp    map[string]string // the code of those operations that have their own
	// counted services tell everything at once: "2 validation errors
	// detected: …; …". The others tell the first thing they find.
	counted bool
	texts   map[Rule]string // instead of the common texts
	// members are the texts of those members, by their paths, that have their own.
	members map[string]map[Rule]string
}

// In a text {value} is a space and the value in quotes or null, {raw} the value without
// quotes, {path} its path, {query} its name as a query has it,
// {words} and {Words} its name in words, {must} and {want} what it should be.
const commonText = "Value{value} at '{path}' failed to satisfy constraint: Member {must}"

// must says what a rule asks.
var must = map[Rule]string{
	Required:  "must not be null",
	MinLength: "must have length greater than or equal to {want}",
	MaxLength: "must have length less than or equal to {want}",
	MinValue:  "must have value greater than or equal to {want}",
	MaxValue:  "must have value less than or equal to {want}",
	Pattern:   "must satisfy regular expression pattern: {want}",
	Enum:      "must satisfy enum value set: [{want}]",
}

// validationFormats are the services with their own codes or words. Any other service
// answers as most JSON services do.
var validationFormats = map[string]validationFormat{
	"ecs": {
		code: "InvalidParameterException",
		byOp: map[string]string{"RegisterTaskDefinition": "ClientException"},
		texts: map[Rule]string{
			Required:  "{Words} cannot be empty.",
			Enum:      "{words} should be one of [{want}]",
			MinLength: "Invalid '{path}' setting: {Words} {must}.",
			MaxLength: "Invalid '{path}' setting: {Words} {must}.",
			MinValue:  "Invalid '{path}' setting: {Words} {must}.",
			MaxValue:  "Invalid '{path}' setting: {Words} {must}.",
			Pattern:   "Invalid '{path}' setting: {Words} {must}",
		},
	},
	"ec2": {
		code: "InvalidParameterValue", missing: "MissingParameter",
		texts: map[Rule]string{
			Required:  "The request must contain the parameter {query}",
			Enum:      "Value ({raw}) for parameter {path} is invalid. Unknown {words}.",
			MinLength: "Value ( {raw} ) for parameter {query} is invalid. Expecting a length greater than or equal to {want}.",
			MaxLength: "Value ( {raw} ) for parameter {query} is invalid. Expecting a length less than or equal to {want}.",
			MinValue:  "Value ( {raw} ) for parameter {query} is invalid. Expecting a value greater than or equal to {want}.",
			MaxValue:  "Value ( {raw} ) for parameter {query} is invalid. Expecting a value less than or equal to {want}.",
			Pattern:   "Value ( {raw} ) for parameter {query} is invalid. Expecting a match of {want}",
		},
	},
	"ecr": {
		// Source of the words with Member: public reports of PutLifecyclePolicy
		// (length) and PutImageTagMutability (enum); of those without: of
		// CreateRepository (pattern).
		code: "InvalidParameterException",
		texts: map[Rule]string{
			Required:  ecrText("Member {must}"),
			Enum:      ecrText("Member {must}"),
			MinLength: ecrText("Member {must}"),
			MaxLength: ecrText("Member {must}"),
			MinValue:  ecrText("Member {must}"),
			MaxValue:  ecrText("Member {must}"),
			Pattern:   ecrText("must satisfy regular expression '{want}'"),
		},
	},
	"sqs": {
		code: "InvalidParameterValue", missing: "MissingParameter", counted: true,
		texts: map[Rule]string{Required: "The request must contain the parameter {query}."},
	},
	"logs": {code: "InvalidParameterException", counted: true, members: map[string]map[Rule]string{
		"logGroupName":  {MaxLength: logsNameTooLong},
		"logStreamName": {MaxLength: logsNameTooLong},
	}},
	"iam":              {code: "ValidationError", counted: true},
	"sts":              {code: "ValidationError", counted: true},
	"elbv2":            {code: "ValidationError", counted: true},
	"autoscaling":      {code: "ValidationError", counted: true},
	"cloudformation":   {code: "ValidationError", counted: true},
	"cloudwatch":       {code: "ValidationError", counted: true},
	"servicediscovery": {code: "InvalidInput", counted: true},
	"route53":          {code: "InvalidInput", counted: true},
	"s3":               {code: "InvalidArgument", counted: true},
}

// logsNameTooLong is recorded of CreateLogGroup and DeleteMetricFilter.
const logsNameTooLong = "Invalid LogGroup or LogStream, both must have length less than or equal to {want}."

func ecrText(constraint string) string {
	return "Invalid parameter at '{path}' failed to satisfy constraint: '" + constraint + "'"
}

var commonFormat = validationFormat{code: "ValidationException", counted: true}

// Refusal words violations, of which there is at least one, as the service does.
func (s *Service) Refusal(op string, violations []Violation) *Error {
	d, ok := validationFormats[s.Name]
	if !ok {
		d = commonFormat
	}
	first := violations[0]
	code := cmp.Or(d.byOp[op], d.code)
	if first.Rule == Required {
		code = cmp.Or(d.missing, code)
	}
	if text := cmp.Or(d.members[first.Path][first.Rule], d.texts[first.Rule]); text != "" || !d.counted {
		return Errorf(code, "%s", first.text(cmp.Or(text, commonText)))
	}
	texts := make([]string, len(violations))
	for i, v := range violations {
		texts[i] = v.text(commonText)
	}
	plural := ""
	if len(texts) > 1 {
		plural = "s"
	}
	return Errorf(code, "%d validation error%s detected: %s", len(texts), plural, strings.Join(texts, "; "))
}

// demand says what a rule asks.
func demand(r Rule, want string) string { return strings.ReplaceAll(must[r], "{want}", want) }

// text fills in a text.
func (v Violation) text(template string) string {
	asked := demand(v.Rule, v.Want)
	value := " '" + v.Value + "'"
	switch {
	case v.Items != "":
		asked = "must satisfy constraint: [" + v.Items + "]"
	case v.Null:
		value = " null"
	case v.Secret && v.Rule == Enum: // recorded of IAM's UpdateServiceSpecificCredential
		asked = "must satisfy enum value set"
	}
	if v.Secret {
		value = ""
	}
	return strings.NewReplacer("{must}", asked, "{value}", value, "{raw}", v.Value, "{path}", v.Path,
		"{query}", v.Query, "{words}", words(v.Path), "{Words}", upperFirst(words(v.Path)), "{want}", v.Want).Replace(template)
}

// words writes the last name of a path as words: "taskDefinition" becomes "task
// definition".
func words(path string) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%c", unicode.ToLower(r))
	}
	return b.String()
}
