package routing

import (
	"errors"
	"sync/atomic"

	"fargo/aws/elbv2"
)

// Action is what a rule does in the end. Exactly one field is set.
type Action struct {
	Forward  *Forward
	Redirect *Redirect
	Fixed    *FixedResponse
	// Unsupported is the type of an action that is not offered.
	Unsupported string
}

func compileAction(actions []elbv2.Action, known func(group string) bool, turn *atomic.Uint64) (Action, error) {
	if len(actions) == 0 {
		return Action{Unsupported: "nothing"}, errors.New("no action")
	}
	if len(actions) > 1 { // what may come before the last one authenticates
		return Action{Unsupported: string(actions[0].Type)}, nil
	}
	switch last := &actions[0]; last.Type {
	case elbv2.ActionTypeEnumForward:
		f, err := compileForward(last, known, turn)
		return Action{Forward: f}, err
	case elbv2.ActionTypeEnumRedirect:
		if last.RedirectConfig == nil {
			return Action{Unsupported: "redirect"}, errors.New("redirect has no RedirectConfig")
		}
		return Action{Redirect: compileRedirect(last.RedirectConfig)}, nil
	case elbv2.ActionTypeEnumFixedResponse:
		if last.FixedResponseConfig == nil {
			return Action{Unsupported: "fixed-response"}, errors.New("fixed-response has no FixedResponseConfig")
		}
		f, err := compileFixed(last.FixedResponseConfig)
		if err != nil {
			return Action{Unsupported: "fixed-response"}, err
		}
		return Action{Fixed: f}, nil
	default:
		return Action{Unsupported: string(last.Type)}, nil
	}
}
