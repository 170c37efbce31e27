package ssm

import (
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ssm"
	"fargo/record"
)

// The options of filters.
const (
	equals     = "Equals"
	beginsWith = "BeginsWith"
	contains   = "Contains"
	oneLevel   = "OneLevel"
	recursive  = "Recursive"
)

// optionsOf are the options that the filter with a key can have, the default first.
func optionsOf(key string) []string {
	switch key {
	case "Name":
		return []string{equals, beginsWith, contains}
	case "Path":
		return []string{oneLevel, recursive}
	case "KeyId":
		return []string{equals, beginsWith}
	}
	return []string{equals}
}

// checkFilters refuses filters that there are not.
func checkFilters(filters []ssm.ParameterStringFilter) error {
	for i, f := range filters {
		key := *f.Key
		if slices.ContainsFunc(filters[:i], func(o ssm.ParameterStringFilter) bool { return *o.Key == key }) {
			return ssm.InvalidFilterKey("The following filter is duplicated in the request: %s. A request can contain only one occurrence of a specific filter.", key)
		}
		options := optionsOf(key)
		if option := aws.ValueOr(f.Option, options[0]); !slices.Contains(options, option) {
			sorted := slices.Sorted(slices.Values(options))
			return ssm.InvalidFilterOption("The following filter option is not valid: %s. Valid options include: [%s].", option, strings.Join(sorted, ", "))
		}
		if len(f.Values) == 0 && !strings.HasPrefix(key, "tag:") {
			return ssm.InvalidFilterValue("The following filter values are missing : null for filter key %s.", key)
		}
		if err := checkFilterValues(key, f.Values); err != nil {
			return err
		}
	}
	return nil
}

func checkFilterValues(key string, values []string) error {
	known := map[string][]string{
		"Type": {"String", "StringList", "SecureString"},
		"Tier": {"Standard", "Advanced", "Intelligent-Tiering"},
	}[key]
	for _, value := range values {
		if key == "Path" {
			if err := checkPath(value); err != nil {
				return err
			}
		}
		if known != nil && !slices.Contains(known, value) {
			return ssm.InvalidFilterValue("The following filter value is not valid: %s. Valid values include: [%s].", value, strings.Join(known, ", "))
		}
	}
	return nil
}

// passes reports whether a version of a parameter passes all filters.
func passes(p *record.Parameter, v *record.ParameterVersion, filters []ssm.ParameterStringFilter) bool {
	for _, f := range filters {
		if !passesOne(p, v, f) {
			return false
		}
	}
	return true
}

func passesOne(p *record.Parameter, v *record.ParameterVersion, f ssm.ParameterStringFilter) bool {
	switch key := *f.Key; key {
	case "Name":
		// "x" and "/x" are one name.
		return matches(f, p.Name) || matches(f, "/"+strings.TrimPrefix(p.Name, "/"))
	case "Path":
		return slices.ContainsFunc(f.Values, func(path string) bool { return below(path, p.Name, aws.Value(f.Option) == recursive) })
	case "Type":
		return matches(f, string(v.Type))
	case "KeyId":
		return v.KeyID != "" && matches(f, v.KeyID)
	case "Tier":
		return matches(f, string(v.Tier))
	case "DataType":
		return matches(f, v.DataType)
	case "Label":
		return labelled(p, f) == v.Version
	default:
		return tagged(p, strings.TrimPrefix(key, "tag:"), f)
	}
}

// tagged reports whether a parameter has a tag that a filter asks for; without values,
// any value will do.
func tagged(p *record.Parameter, key string, f ssm.ParameterStringFilter) bool {
	return slices.ContainsFunc(p.Tags, func(t ssm.Tag) bool {
		return aws.Value(t.Key) == key && (len(f.Values) == 0 || matches(f, aws.Value(t.Value)))
	})
}

// matches reports whether a value is one of a filter's, by its option.
func matches(f ssm.ParameterStringFilter, value string) bool {
	return slices.ContainsFunc(f.Values, func(wanted string) bool {
		switch aws.Value(f.Option) {
		case beginsWith:
			return strings.HasPrefix(value, wanted)
		case contains:
			return strings.Contains(value, wanted)
		}
		return value == wanted
	})
}
