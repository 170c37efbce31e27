package elbv2

import (
	"regexp"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
)

// maxRewriteLength is of a transform's regular expression and of its
// replacement. Source: ELBv2 API, RewriteConfig.
const maxRewriteLength = 1024

// checkTransforms checks a rule's transforms, of which there may be one of each
// type.
// Source: ELBv2 API, RuleTransform, and ALB user guide, "Transforms for listener
// rules".
func checkTransforms(transforms []elbv2.RuleTransform) error {
	for i, t := range transforms {
		if slices.ContainsFunc(transforms[:i], func(o elbv2.RuleTransform) bool { return o.Type == t.Type }) {
			return invalid("A rule can only have one transform of type '%s'", t.Type)
		}
		var rewrites []elbv2.RewriteConfig
		switch host, url := t.HostHeaderRewriteConfig, t.UrlRewriteConfig; {
		case t.Type == elbv2.TransformTypeEnumHostHeaderRewrite && host != nil && url == nil:
			rewrites = host.Rewrites
		case t.Type == elbv2.TransformTypeEnumUrlRewrite && url != nil && host == nil:
			rewrites = url.Rewrites
		default:
			return invalid("A transform of type '%s' must have a configuration of that type and of no other", t.Type)
		}
		if len(rewrites) != 1 {
			return invalid("A transform of type '%s' must have exactly one rewrite", t.Type)
		}
		if err := checkRewrite(t.Type, rewrites[0]); err != nil {
			return err
		}
	}
	return nil
}

func checkRewrite(kind elbv2.TransformTypeEnum, r elbv2.RewriteConfig) error {
	switch regex, replace := aws.Value(r.Regex), aws.Value(r.Replace); {
	case regex == "":
		return invalid("The regular expression of a transform of type '%s' cannot be empty", kind)
	case len(regex) > maxRewriteLength:
		return invalid("The regular expression of a transform of type '%s' cannot contain more than %d characters", kind, maxRewriteLength)
	case len(replace) > maxRewriteLength:
		return invalid("The replacement of a transform of type '%s' cannot contain more than %d characters", kind, maxRewriteLength)
	default:
		return checkRegex(regex)
	}
}

// unicodeClass is in expressions with classes such as \p{L}, which AWS has not.
var unicodeClass = regexp.MustCompile(`(^|[^\\])(\\\\)*\\[pP]`)

// checkRegex refuses what AWS does not support: lookaround, back references,
// atomic groups, possessive quantifiers, recursion and Unicode classes.
// Source: ALB user guide, "Listener rules".
func checkRegex(re string) error {
	_, err := regexp.Compile(re)
	switch {
	case err != nil:
		return invalid("The regular expression '%s' is not valid: %s", re, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	case unicodeClass.MatchString(re):
		return invalid("The regular expression '%s' is not valid: Unicode classes are not supported", re)
	}
	return nil
}
