package plan

import (
	"slices"
	"strconv"
	"strings"

	"fargo/aws/ssm"
	"fargo/record"
)

// ParameterSelector takes the selector off a parameter's name or ARN: the version
// ("3") or label ("production") that follows a ":". Without one, it is empty.
func ParameterSelector(name string) (bare, selector string) {
	from := 0
	if strings.HasPrefix(name, "arn:") {
		if from = strings.Index(name, "parameter/"); from < 0 {
			return name, ""
		}
	}
	if i := strings.IndexByte(name[from:], ':'); i >= 0 {
		return name[:from+i], name[from+i+1:]
	}
	return name, ""
}

// ParameterVersion is the version that a selector means: the current one when it is
// empty. The errors are those of Parameter Store.
func ParameterVersion(p *record.Parameter, selector string) (int64, error) {
	if selector == "" {
		return p.Version, nil
	}
	version, err := strconv.ParseInt(selector, 10, 64)
	if err == nil {
		if p.Oldest <= version && version <= p.Version {
			return version, nil
		}
		return 0, ssm.ParameterVersionNotFound("Systems Manager could not find version %s of %s. Verify the version and try again.", selector, p.Name)
	}
	if version, ok := p.Labels[selector]; ok {
		return version, nil
	}
	return 0, ssm.ParameterVersionNotFound("Systems Manager could not find label %s of %s. Verify the label and try again.", selector, p.Name)
}

// ParameterLabels are the labels of a version, in the order of the alphabet; nil if
// it has none.
func ParameterLabels(p *record.Parameter, version int64) []string {
	var labels []string
	for label, of := range p.Labels {
		if of == version {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels
}

// ParameterVersionsKept is how many versions a parameter has at most.
// Source: Systems Manager user guide, "Working with parameter versions".
const ParameterVersionsKept = 100

// DropOldestParameterVersion gives the version that must go before a parameter can
// have another; 0 if none must. One with a label cannot.
func DropOldestParameterVersion(p *record.Parameter) (int64, error) {
	if p.Version-p.Oldest+1 < ParameterVersionsKept {
		return 0, nil
	}
	if len(ParameterLabels(p, p.Oldest)) > 0 {
		return 0, ssm.ParameterMaxVersionLimitExceeded("You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. "+
			"Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.",
			p.Name, p.Oldest)
	}
	return p.Oldest, nil
}
