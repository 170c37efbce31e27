package ecr

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// ECR checks a lifecycle policy's form with a JSON schema, and its texts are those of
// the validator: each finding on a line. What the schema says is in the ECR user guide,
// "Lifecycle policy template"; the texts are in public reports of PutLifecyclePolicy.

const notLifecycle = "Could not map policyString into LifecyclePolicy."

// property is what a member of an object may be.
type property struct {
	kind     string // "integer", "string", "array" or "object", as JSON schema calls it
	required bool
	enum     []string  // of a string
	least    int       // of an integer; of an array's length
	most     int       // of an array's length; 0 is no bound
	members  form      // of an object
	items    *property // of an array
	choice   func(object map[string]any) []string
}

type form map[string]property

var lifecycleForm = property{kind: "object", members: form{
	"rules": {kind: "array", required: true, least: 1, most: 50, items: &property{kind: "object", members: form{
		"rulePriority": {kind: "integer", required: true, least: 1},
		"description":  {kind: "string"},
		"selection": {kind: "object", required: true, choice: chooseCount, members: form{
			"tagStatus":      {kind: "string", required: true, enum: []string{"any", "tagged", "untagged"}},
			"tagPrefixList":  {kind: "array", least: 1, items: &property{kind: "string"}},
			"tagPatternList": {kind: "array", least: 1, items: &property{kind: "string"}},
			"storageClass":   {kind: "string", enum: []string{"archive", "standard"}},
			"countType":      {kind: "string", required: true},
			"countUnit":      {kind: "string", enum: []string{"days"}},
			"countNumber":    {kind: "integer", required: true, least: 1},
		}},
		"action": {kind: "object", required: true, choice: chooseTarget, members: form{
			"type":               {kind: "string", required: true, enum: []string{"expire", "transition"}},
			"targetStorageClass": {kind: "string", enum: []string{"archive"}},
		}},
	}}},
}}

// checkLifecycleForm says what is wrong with the form of a policy.
func checkLifecycleForm(text string) []string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var policy map[string]any
	if err := d.Decode(&policy); err != nil || policy == nil {
		return []string{notLifecycle}
	}
	if _, err := d.Token(); err != io.EOF {
		return []string{notLifecycle}
	}
	return lifecycleForm.check(policy)
}

func (p *property) check(v any) []string {
	if kind := kindOf(v); kind != p.kind {
		return []string{fmt.Sprintf("instance type (%s) does not match any allowed primitive type (allowed: %s)", kind, quote(p.kind))}
	}
	switch v := v.(type) {
	case map[string]any:
		return p.checkObject(v)
	case []any:
		return p.checkArray(v)
	case string:
		if p.enum != nil && !slices.Contains(p.enum, v) {
			return []string{fmt.Sprintf("instance value (%q) not found in enum (possible values: %s)", v, quote(p.enum...))}
		}
	case json.Number:
		n, err := v.Int64()
		if err == nil && n < int64(p.least) {
			return []string{fmt.Sprintf("numeric instance is lower than the required minimum (minimum: %d, found: %s)", p.least, v)}
		}
		if err != nil || n > math.MaxInt32 {
			return []string{fmt.Sprintf("numeric instance is greater than the required maximum (maximum: %d, found: %s)", math.MaxInt32, v)}
		}
	}
	return nil
}

func (p *property) checkArray(items []any) (found []string) {
	if len(items) < p.least {
		return []string{fmt.Sprintf("array is too short: must have at least %d elements but instance has %d elements", p.least, len(items))}
	}
	if p.most > 0 && len(items) > p.most {
		return []string{fmt.Sprintf("array is too long: must have at most %d elements but instance has %d elements", p.most, len(items))}
	}
	for _, item := range items {
		found = append(found, p.items.check(item)...)
	}
	return found
}

func (p *property) checkObject(object map[string]any) (found []string) {
	var missing, unknown []string
	for _, name := range slices.Sorted(maps.Keys(p.members)) {
		if _, given := object[name]; !given && p.members[name].required {
			missing = append(missing, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		member, known := p.members[name]
		if !known {
			unknown = append(unknown, name)
			continue
		}
		found = append(found, member.check(object[name])...)
	}
	if unknown != nil {
		found = append(found, notAllowed(unknown...))
	}
	if missing != nil {
		found = append(found, isMissing(missing...))
	}
	if found == nil && p.choice != nil {
		return p.choice(object)
	}
	return found
}

// chooseCount is the schema's choice by countType.
func chooseCount(selection map[string]any) []string {
	_, unit := selection["countUnit"]
	archive := selection["storageClass"] == "archive"
	switch selection["countType"] {
	case "imageCountMoreThan":
		if unit {
			return noneOf(notAllowed("countUnit"))
		}
		return standardOnly(archive)
	case "sinceImagePushed", "sinceImagePulled":
		if !unit {
			return noneOf(isMissing("countUnit"))
		}
		return standardOnly(archive)
	case "sinceImageTransitioned":
		if !unit {
			return noneOf(isMissing("countUnit"))
		}
		if !archive {
			return noneOf(isMissing("storageClass"))
		}
		return nil
	}
	return noneOf(fmt.Sprintf("instance value (%q) not found in enum (possible values: %s)",
		selection["countType"], quote("imageCountMoreThan", "sinceImagePulled", "sinceImagePushed", "sinceImageTransitioned")))
}

func standardOnly(archive bool) []string {
	if archive {
		return noneOf(fmt.Sprintf("instance value (%q) not found in enum (possible values: %s)", "archive", quote("standard")))
	}
	return nil
}

// chooseTarget is the schema's choice by the type of the action.
func chooseTarget(action map[string]any) []string {
	_, target := action["targetStorageClass"]
	switch {
	case action["type"] == "expire" && target:
		return noneOf(notAllowed("targetStorageClass"))
	case action["type"] == "transition" && !target:
		return noneOf(isMissing("targetStorageClass"))
	}
	return nil
}

func noneOf(why string) []string {
	return []string{"instance failed to match exactly one schema (matched 0 out of 2)", why}
}

func notAllowed(names ...string) string {
	return "object instance has properties which are not allowed by the schema: " + quote(names...)
}

func isMissing(names ...string) string {
	return "object has missing required properties (" + quote(names...) + ")"
}

// quote writes names as a JSON list.
func quote(names ...string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// kindOf is the type of a JSON value as JSON schema calls it.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	}
	return "object"
}
