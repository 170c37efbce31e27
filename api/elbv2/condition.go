package elbv2

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
)

// Bounds of conditions. Source: ELBv2 API, RuleCondition, and ELB user guide,
// "Quotas for your Application Load Balancers".
const (
	maxConditionValues    = 5
	maxConditionWildcards = 5
	maxConditionLength    = 128
	maxHeaderName         = 40
	maxMethod             = 40
)

// The fields that a condition can look at, as their error lists them.
const (
	fieldHeader = "http-header"
	fieldMethod = "http-request-method"
	fieldHost   = "host-header"
	fieldQuery  = "query-string"
	fieldSource = "source-ip"
	fieldPath   = "path-pattern"
)

var conditionFields = []string{fieldHeader, fieldMethod, fieldHost, fieldQuery, fieldSource, fieldPath}

// conditionConfigs are where a condition of a field may have its values.
var conditionConfigs = map[string]string{
	fieldHost: "Values or RegexValues or HostHeaderConfig", fieldPath: "Values or RegexValues or PathPatternConfig", fieldHeader: "HttpHeaderConfig",
	fieldMethod: "HttpRequestMethodConfig", fieldQuery: "QueryStringConfig", fieldSource: "SourceIpConfig",
}

// completeConditions checks a rule's conditions, and gives the old and the new
// way to write them both.
func completeConditions(conditions []elbv2.RuleCondition) ([]elbv2.RuleCondition, error) {
	if len(conditions) == 0 {
		return nil, invalid("A condition must be specified")
	}
	out := slices.Clone(conditions)
	values, wildcards := 0, 0
	seen := map[string]bool{}
	for i := range out {
		field := aws.Value(out[i].Field)
		if !slices.Contains(conditionFields, field) {
			return nil, invalid("Condition field '%s' must be one of '%s'", field, strings.Join(conditionFields, ","))
		}
		if seen[field] && field != fieldHeader && field != fieldQuery {
			return nil, invalid("A rule can only have one '%s' condition", field)
		}
		seen[field] = true
		c, err := completeCondition(field, &out[i])
		if err != nil {
			return nil, err
		}
		values += len(c.values)
		for _, v := range c.values {
			wildcards += c.wildcards(v)
		}
	}
	switch {
	case values > maxConditionValues:
		return nil, invalid("A rule can only have '%d' condition values and regex values", maxConditionValues)
	case wildcards > maxConditionWildcards:
		return nil, invalid("A rule can only have '%d' wildcards in its condition values", maxConditionWildcards)
	}
	return out, nil
}

// condition is what a condition of any field says, flat.
type condition struct {
	field  string
	values []string // of which one must match; a query's key and value are one
	wild   bool     // * and ? have a meaning in them
}

// escapes are what a query's value has in the place of literal characters.
// Source: ELBv2 API, QueryStringConditionConfig.
var escapes = strings.NewReplacer(`\\`, "", `\*`, "", `\?`, "")

func (c condition) wildcards(value string) int {
	if !c.wild {
		return 0
	}
	if c.field == fieldQuery {
		value = escapes.Replace(value)
	}
	return strings.Count(value, "*") + strings.Count(value, "?")
}

// completeCondition checks one condition and completes it in place.
func completeCondition(field string, c *elbv2.RuleCondition) (condition, error) {
	if err := onlyField(field, c); err != nil {
		return condition{}, err
	}
	switch field {
	case fieldHost:
		config := aws.ValueOr(c.HostHeaderConfig, elbv2.HostHeaderConditionConfig{Values: c.Values, RegexValues: c.RegexValues})
		c.HostHeaderConfig, c.Values, c.RegexValues = &config, config.Values, config.RegexValues
		return matching(field, "HostHeaderConfig", config.Values, config.RegexValues)
	case fieldPath:
		config := aws.ValueOr(c.PathPatternConfig, elbv2.PathPatternConditionConfig{Values: c.Values, RegexValues: c.RegexValues})
		c.PathPatternConfig, c.Values, c.RegexValues = &config, config.Values, config.RegexValues
		return matching(field, "PathPatternConfig", config.Values, config.RegexValues)
	case fieldHeader:
		if err := checkHeaderName(aws.Value(c.HttpHeaderConfig.HttpHeaderName)); err != nil {
			return condition{}, err
		}
		return matching(field, "HttpHeaderConfig", c.HttpHeaderConfig.Values, c.HttpHeaderConfig.RegexValues)
	case fieldMethod:
		return plainValues(field, c.HttpRequestMethodConfig.Values, checkMethod)
	case fieldSource:
		if c.SourceIpConfig.IpAddressType != "" {
			return condition{}, notImplemented("IpAddressType of source-ip conditions, which is for rules of Network Load Balancers")
		}
		return plainValues(field, c.SourceIpConfig.Values, checkCIDR)
	default:
		return queryValues(c.QueryStringConfig.Values)
	}
}

// onlyField refuses a condition that has a configuration of another field than
// its own, none at all, or says the same in two ways.
func onlyField(field string, c *elbv2.RuleCondition) error {
	configs := map[string]bool{
		fieldHost: c.HostHeaderConfig != nil, fieldPath: c.PathPatternConfig != nil, fieldHeader: c.HttpHeaderConfig != nil,
		fieldMethod: c.HttpRequestMethodConfig != nil, fieldSource: c.SourceIpConfig != nil, fieldQuery: c.QueryStringConfig != nil,
	}
	old := len(c.Values) > 0 || len(c.RegexValues) > 0
	for _, f := range conditionFields {
		if configs[f] && f != field {
			return invalid("A condition of the field '%s' cannot have a configuration of the field '%s'", field, f)
		}
	}
	switch {
	case len(c.RegexValues) > 0 && field != fieldHost && field != fieldPath && field != fieldHeader:
		return invalid("'RegexValues' is not supported for a condition of type '%s'", field)
	case !configs[field] && (!old || field != fieldHost && field != fieldPath):
		return invalid("For conditions of type '%s', you must specify the following fields: '%s'", field, conditionConfigs[field])
	case old && field != fieldHost && field != fieldPath:
		return invalid("The values of a condition of the field '%s' must be in its configuration", field)
	case old && configs[field]:
		if field == fieldHost && slices.Equal(c.Values, c.HostHeaderConfig.Values) && slices.Equal(c.RegexValues, c.HostHeaderConfig.RegexValues) ||
			field == fieldPath && slices.Equal(c.Values, c.PathPatternConfig.Values) && slices.Equal(c.RegexValues, c.PathPatternConfig.RegexValues) {
			return nil // as Describe shows it
		}
		return invalid("You cannot specify both 'Values' and a configuration for the field '%s'", field)
	}
	return nil
}

// matching checks patterns or regular expressions, of which there must be
// either.
func matching(field, config string, values, regexes []string) (condition, error) {
	if (len(values) == 0) == (len(regexes) == 0) {
		return condition{}, invalid("You must provide exactly one of the following: ['Values' 'RegexValues'] for config of type '%s'", config)
	}
	for _, re := range regexes {
		if err := checkLength(field, re); err != nil {
			return condition{}, err
		}
		if err := checkRegex(re); err != nil {
			return condition{}, err
		}
	}
	if len(regexes) > 0 {
		return condition{field, regexes, false}, nil
	}
	for _, v := range values {
		if err := checkPattern(field, v); err != nil {
			return condition{}, err
		}
	}
	return condition{field, values, true}, nil
}

func plainValues(field string, values []string, check func(string) error) (condition, error) {
	if len(values) == 0 {
		return condition{}, invalid("A condition value must be specified")
	}
	for _, v := range values {
		if err := check(v); err != nil {
			return condition{}, err
		}
	}
	return condition{field, values, false}, nil
}

func queryValues(pairs []elbv2.QueryStringKeyValuePair) (condition, error) {
	if len(pairs) == 0 {
		return condition{}, invalid("A condition value must be specified")
	}
	c := condition{fieldQuery, nil, true}
	for _, p := range pairs {
		switch {
		case p.Value == nil:
			return c, invalid("A value must be specified for each key of a 'query-string' condition")
		case *p.Value == "":
			return c, invalid("A condition value must be specified")
		}
		for _, s := range []string{aws.Value(p.Key), *p.Value} {
			if err := checkLength(fieldQuery, s); err != nil {
				return c, err
			}
		}
		c.values = append(c.values, aws.Value(p.Key)+"="+*p.Value)
	}
	return c, nil
}

func checkLength(field, value string) error {
	if len(value) > maxConditionLength {
		return invalid("Condition value for '%s' cannot contain more than %d characters", field, maxConditionLength)
	}
	return nil
}

// The characters of patterns. Source: ELBv2 API, CreateRule.
var (
	hostPattern = regexp.MustCompile(`^[A-Za-z0-9_.*?-]*\.[A-Za-z*?]+$`) // names of hosts in use have "_" too
	pathPattern = regexp.MustCompile(`^[A-Za-z0-9_.$/~"'@:+&*?-]+$`)
	methodName  = regexp.MustCompile(`^[A-Z_-]+$`)
)

func checkPattern(field, value string) error {
	if err := checkLength(field, value); err != nil {
		return err
	}
	switch {
	case value == "":
		return invalid("A condition value must be specified")
	case field == fieldHost && !hostPattern.MatchString(value), field == fieldPath && !pathPattern.MatchString(value):
		return invalid("Condition value '%s' contains a character that is not valid", value)
	}
	return nil
}

func checkHeaderName(name string) error {
	switch {
	case name == "":
		return invalid("An HTTP header name must be specified for a 'http-header' condition")
	case len(name) > maxHeaderName:
		return invalid("Condition value for 'http-header' cannot contain more than %d characters", maxHeaderName)
	case strings.EqualFold(name, "host"):
		return invalid("You cannot specify 'host' as an HTTP header name")
	case !token.MatchString(name):
		return invalid("The HTTP header name '%s' is not valid", name)
	}
	return nil
}

func checkMethod(value string) error {
	switch {
	case len(value) > maxMethod:
		return invalid("Condition value for 'http-request-method' cannot contain more than %d characters", maxMethod)
	case !methodName.MatchString(value):
		return invalid("Condition value '%s' contains a character that is not valid", value)
	}
	return nil
}

func checkCIDR(value string) error {
	if _, err := netip.ParsePrefix(value); err != nil {
		return invalid("The specified value '%s' is not a valid CIDR block", value)
	}
	return nil
}
