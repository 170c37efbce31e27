package applicationautoscaling

import "fargo/api"

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "AWS Application Auto Scaling".
var Actions = &api.Actions{
	Prefix:      "application-autoscaling",
	TagOnCreate: "application-autoscaling:TagResource",
	Rows:        map[string]api.Row{},
}
