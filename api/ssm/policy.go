package ssm

import (
	"encoding/json"
	"time"

	"fargo/aws/ssm"
)

// A parameterPolicy is what PutParameter takes in Policies. Of the types that AWS has,
// one does something by itself; the others send events.
// Source: Systems Manager user guide, "Assigning parameter policies".
type parameterPolicy struct {
	Type       string
	Version    string
	Attributes struct{ Timestamp string }
}

const expiration = "Expiration"

// policies are those of a version: as before when none are given, and none when the
// given ones are empty.
func policies(given *string, before []ssm.ParameterInlinePolicy) ([]ssm.ParameterInlinePolicy, error) {
	if given == nil {
		return before, nil
	}
	var texts []json.RawMessage
	if err := json.Unmarshal([]byte(*given), &texts); err != nil {
		return nil, ssm.InvalidPolicyAttributeException("Policies must be a JSON array of policies.")
	}
	var all []ssm.ParameterInlinePolicy
	for _, text := range texts {
		var p parameterPolicy
		if err := json.Unmarshal(text, &p); err != nil {
			return nil, ssm.InvalidPolicyAttributeException("Policies must be a JSON array of policies.")
		}
		switch {
		case p == parameterPolicy{}:
			continue
		case p.Type == "ExpirationNotification" || p.Type == "NoChangeNotification":
			return nil, notImplemented("parameter policies of the type " + p.Type)
		case p.Type != expiration:
			return nil, ssm.InvalidPolicyTypeException("The policy type isn't supported. Parameter Store supports the following policy types: Expiration, ExpirationNotification, and NoChangeNotification.")
		case len(all) > 0:
			return nil, ssm.IncompatiblePolicyException("You can't specify two Expiration policies for a parameter.")
		}
		all = append(all, ssm.ParameterInlinePolicy{PolicyText: new(string(text)), PolicyType: &p.Type, PolicyStatus: new("Pending")})
	}
	return all, nil
}

// expiry is when a parameter with policies expires; zero if it does not. There is at most
// one policy, of the type Expiration.
func expiry(all []ssm.ParameterInlinePolicy) (time.Time, error) {
	if len(all) == 0 {
		return time.Time{}, nil
	}
	var expires parameterPolicy
	if err := json.Unmarshal([]byte(*all[0].PolicyText), &expires); err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, expires.Attributes.Timestamp)
	if err != nil {
		return time.Time{}, ssm.InvalidPolicyAttributeException("The attribute Timestamp of an Expiration policy must be a time such as 2030-12-02T21:34:33.000Z.")
	}
	return at.UTC(), nil
}
