package routing

import (
	"regexp"
	"strings"
)

// textOptions say how values are compared.
type textOptions struct {
	fold    bool // letters match in either case
	escapes bool // a backslash takes a wildcard's meaning
}

// matcher reports whether a text fits one of several patterns.
type matcher struct {
	globs   []glob
	regexps []*regexp.Regexp
	fold    bool
}

func compileMatcher(values, patterns []string, o textOptions) (*matcher, error) {
	m := &matcher{fold: o.fold}
	for _, v := range values {
		if o.fold {
			v = strings.ToLower(v)
		}
		m.globs = append(m.globs, compileGlob(v, o.escapes))
	}
	for _, p := range patterns {
		if o.fold {
			p = "(?i)" + p
		}
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, err
		}
		m.regexps = append(m.regexps, re)
	}
	return m, nil
}

func (m *matcher) match(s string) bool {
	for _, re := range m.regexps {
		if re.MatchString(s) {
			return true
		}
	}
	if m.fold {
		s = strings.ToLower(s)
	}
	for _, g := range m.globs {
		if g.match(s) {
			return true
		}
	}
	return false
}
