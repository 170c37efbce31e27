package control

import (
	"fargo"
	"fargo/store"
)

// Config is what the controllers need beside the store.
type Config struct {
	Images Images
	// Assumable reports whether a role exists and trusts an AWS service
	// ("ecs-tasks.amazonaws.com").
	Assumable func(r store.Reader, roleARN, service string) bool
	// Pace divides the waiting times that configuration prescribes.
	Pace fargo.Pace
}

// Controllers are all there are, in the order they are asked.
func Controllers(c Config) []Controller {
	return []Controller{
		Services(c),
		Tasks(c.Images),
		Targets(c.Pace),
		TaskDefinitions(),
		RunTaskTokens(),
	}
}
