package routing

import (
	"fmt"
	"regexp"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/balancer/http1"
)

// Transform rewrites requests on their way to a target. Conditions and logs see
// them as they came. A nil transform leaves them as they are.
//
// Regular expressions are Go's, RE2's syntax without lookaround and back
// references, which is what AWS has. A pattern replaces what it matches first,
// and no more; in the replacement $1, or ${1} before a letter, a digit or an
// underscore, is a capture group.
// Source: ALB user guide, "Transforms for listener rules".
type Transform struct{ host, url *substitution }

type substitution struct {
	pattern *regexp.Regexp
	replace string
}

// Rewritten is a request as its target gets it.
type Rewritten struct{ Authority, Target string }

// How transforms ended, as the access log tells it.
// Source: ALB user guide, "Access log entries".
const (
	transformed        = "TransformSuccess"
	transformedTooLong = "TransformBufferTooSmall"
	transformedNoHost  = "TransformInvalidHost"
	transformedNoPath  = "TransformInvalidPath"
)

func compileTransform(transforms []elbv2.RuleTransform) (*Transform, error) {
	if len(transforms) == 0 {
		return nil, nil
	}
	t := &Transform{}
	for i := range transforms {
		var err error
		switch d := &transforms[i]; {
		case d.HostHeaderRewriteConfig != nil:
			t.host, err = compileSubstitution(d.HostHeaderRewriteConfig.Rewrites)
		case d.UrlRewriteConfig != nil:
			t.url, err = compileSubstitution(d.UrlRewriteConfig.Rewrites)
		default:
			err = fmt.Errorf("transform %q has no configuration", d.Type)
		}
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

func compileSubstitution(rewrites []elbv2.RewriteConfig) (*substitution, error) {
	if len(rewrites) != 1 {
		return nil, fmt.Errorf("%d rewrites in a transform", len(rewrites))
	}
	pattern, err := regexp.Compile(aws.Value(rewrites[0].Regex))
	return &substitution{pattern, aws.Value(rewrites[0].Replace)}, err
}

// apply gives the text with the first match replaced; ok is false when there is
// none.
func (s *substitution) apply(text string) (result string, ok bool) {
	if s == nil {
		return text, false
	}
	at := s.pattern.FindStringSubmatchIndex(text)
	if at == nil {
		return text, false
	}
	middle := s.pattern.ExpandString([]byte(text[:at[0]]), s.replace, text, at)
	return string(middle) + text[at[1]:], true
}

// Apply rewrites r for its target, and says how that ended, in the access log's
// words; nothing when nothing matched. It reports whether what came out can be sent
// to a target.
func (t *Transform) Apply(r *Request) (status string, ok bool) {
	if t == nil {
		return "", true
	}
	host, port := SplitPort(r.Authority)
	name, named := t.host.apply(host)
	target, moved := t.url.apply(r.TargetURI())
	switch {
	case !named && !moved:
		return "", true
	case len(name) > http1.MaxField || len(target) > http1.MaxRequestLine:
		return transformedTooLong, false
	case named && !isHostName(name):
		return transformedNoHost, false
	case moved && !isOriginForm(target):
		return transformedNoPath, false
	}
	if port != "" {
		name += ":" + port
	}
	r.Rewritten = &Rewritten{name, target}
	return transformed, true
}

// isHostName reports whether a Host field may have a name.
func isHostName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '-' && c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
}

// isOriginForm reports whether a request line may have a target.
// Source: RFC 9112, section 3.2.1.
func isOriginForm(s string) bool {
	if !strings.HasPrefix(s, "/") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	return true
}
