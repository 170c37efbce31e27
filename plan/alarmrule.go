package plan

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"fargo/aws/cloudwatch"
)

// AlarmRule is the rule of a composite alarm.
type AlarmRule struct {
	root ruleNode
	// Alarms are the names or ARNs of the alarms that it mentions, each once.
	Alarms []string
	// Elements is how many parts it has: alarms, constants and functions over several.
	Elements int
}

// ErrAlarmRule says that a text is no rule.
var ErrAlarmRule = errors.New("not an alarm rule")

// AlarmStates gives the states of alarms by what a rule calls them.
type AlarmStates func(alarm string) cloudwatch.StateValue

// Holds reports whether the rule is true.
func (r *AlarmRule) Holds(states AlarmStates) bool { return r.root.holds(states) }

// ruleNode is a part of a rule.
type ruleNode interface{ holds(AlarmStates) bool }

type (
	ruleConstant bool
	ruleNot      struct{ of ruleNode }
	ruleAnd      struct{ a, b ruleNode }
	ruleOr       struct{ a, b ruleNode }
	ruleState    struct {
		state cloudwatch.StateValue
		not   bool
		alarm string
	}
	ruleAtLeast struct {
		least int
		of    []ruleState
	}
)

func (r ruleConstant) holds(AlarmStates) bool { return bool(r) }
func (r ruleNot) holds(s AlarmStates) bool    { return !r.of.holds(s) }
func (r ruleAnd) holds(s AlarmStates) bool    { return r.a.holds(s) && r.b.holds(s) }
func (r ruleOr) holds(s AlarmStates) bool     { return r.a.holds(s) || r.b.holds(s) }
func (r ruleState) holds(s AlarmStates) bool  { return (s(r.alarm) == r.state) != r.not }

func (r ruleAtLeast) holds(s AlarmStates) bool {
	n := 0
	for _, x := range r.of {
		if x.holds(s) {
			n++
		}
	}
	return n >= r.least
}

// ParseAlarmRule reads a rule: alarms in states, TRUE and FALSE, joined by AND, OR and NOT,
// of which NOT binds most and OR least; and AT_LEAST of several alarms.
// Source: CloudWatch API, PutCompositeAlarm, AlarmRule.
func ParseAlarmRule(text string) (*AlarmRule, error) {
	p := &ruleParser{rest: text, rule: &AlarmRule{}, seen: map[string]bool{}}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, p.unexpected()
	}
	p.rule.root = root
	return p.rule, nil
}

type ruleParser struct {
	rest  string
	rule  *AlarmRule
	seen  map[string]bool
	depth int
}

// maxRuleDepth bounds parentheses and negations within each other. It is our own: a rule of
// 500 elements needs no more.
const maxRuleDepth = 500

func (p *ruleParser) unexpected() error {
	if p.rest == "" {
		return fmt.Errorf("%w: unexpected end", ErrAlarmRule)
	}
	return fmt.Errorf("%w: unexpected %.20q", ErrAlarmRule, p.rest)
}

func (p *ruleParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// word takes a keyword, which no letter, digit or underscore follows.
func (p *ruleParser) word(word string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, word)
	if !ok || rest != "" && strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", rune(rest[0])) {
		return false
	}
	p.rest = rest
	return true
}

func (p *ruleParser) symbol(symbol string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, symbol)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *ruleParser) or() (ruleNode, error) {
	left, err := p.and()
	for err == nil && p.word("OR") {
		var right ruleNode
		right, err = p.and()
		left = ruleOr{left, right}
	}
	return left, err
}

func (p *ruleParser) and() (ruleNode, error) {
	left, err := p.not()
	for err == nil && p.word("AND") {
		var right ruleNode
		right, err = p.not()
		left = ruleAnd{left, right}
	}
	return left, err
}

func (p *ruleParser) not() (ruleNode, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxRuleDepth {
		return nil, fmt.Errorf("%w: nested too deeply", ErrAlarmRule)
	}
	if !p.word("NOT") {
		return p.primary()
	}
	of, err := p.not()
	return ruleNot{of}, err
}

func (p *ruleParser) primary() (ruleNode, error) {
	if p.symbol("(") {
		inner, err := p.or()
		if err == nil && !p.symbol(")") {
			err = p.unexpected()
		}
		return inner, err
	}
	p.rule.Elements++
	switch {
	case p.word("TRUE"):
		return ruleConstant(true), nil
	case p.word("FALSE"):
		return ruleConstant(false), nil
	case p.word("AT_LEAST"):
		return p.atLeast()
	}
	state, ok := p.state()
	if !ok || !p.symbol("(") {
		return nil, p.unexpected()
	}
	alarm, err := p.alarm()
	if err == nil && !p.symbol(")") {
		err = p.unexpected()
	}
	return ruleState{state, false, alarm}, err
}

func (p *ruleParser) state() (cloudwatch.StateValue, bool) {
	for _, state := range []cloudwatch.StateValue{cloudwatch.StateValueAlarm, cloudwatch.StateValueOk, cloudwatch.StateValueInsufficientData} {
		if p.word(string(state)) {
			return state, true
		}
	}
	return "", false
}

// alarm reads the name or ARN of an alarm, in quotation marks or up to a blank, a comma or
// a parenthesis.
func (p *ruleParser) alarm() (string, error) {
	p.space()
	name, err := "", error(nil)
	if strings.HasPrefix(p.rest, `"`) {
		name, err = p.quoted()
	} else {
		end := strings.IndexAny(p.rest, " \t\r\n(),\"")
		if end < 0 {
			end = len(p.rest)
		}
		name, p.rest = p.rest[:end], p.rest[end:]
	}
	if err != nil || name == "" {
		return "", p.unexpected()
	}
	if !p.seen[name] {
		p.seen[name] = true
		p.rule.Alarms = append(p.rule.Alarms, name)
	}
	return name, nil
}

func (p *ruleParser) quoted() (string, error) {
	var name strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; c {
		case '"':
			p.rest = p.rest[i+1:]
			return name.String(), nil
		case '\\':
			if i++; i == len(p.rest) || p.rest[i] != '"' && p.rest[i] != '\\' {
				return "", p.unexpected()
			}
			name.WriteByte(p.rest[i])
		default:
			name.WriteByte(c)
		}
	}
	return "", p.unexpected()
}

// atLeast reads AT_LEAST(how many or a percentage, a state or its negation, (alarms)).
// Source: CloudWatch user guide, "Create a composite alarm", AT_LEAST.
func (p *ruleParser) atLeast() (ruleNode, error) {
	if !p.symbol("(") {
		return nil, p.unexpected()
	}
	p.space()
	end := 0
	for end < len(p.rest) && p.rest[end] >= '0' && p.rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(p.rest[:end])
	if err != nil || n < 1 {
		return nil, p.unexpected()
	}
	p.rest = p.rest[end:]
	percent := p.symbol("%")
	if !p.symbol(",") {
		return nil, p.unexpected()
	}
	not := p.word("NOT")
	state, ok := p.state()
	if !ok || !p.symbol(",") || !p.symbol("(") {
		return nil, p.unexpected()
	}
	out := ruleAtLeast{least: n}
	for {
		alarm, err := p.alarm()
		if err != nil {
			return nil, err
		}
		out.of = append(out.of, ruleState{state, not, alarm})
		if !p.symbol(",") {
			break
		}
	}
	for range 2 {
		if !p.symbol(")") {
			return nil, p.unexpected()
		}
	}
	if percent {
		out.least = (n*len(out.of) + 99) / 100
	}
	if n > 100 && percent || out.least > len(out.of) {
		return nil, fmt.Errorf("%w: AT_LEAST of fewer alarms", ErrAlarmRule)
	}
	return out, nil
}
