// Package routing decides what is done with a request: rules with their
// conditions, actions and transforms, compiled from what the API keeps. Each is a
// function of the request alone, but for the turns that several target groups take.
// It knows target groups by ARN, and refuses to know targets, connections and
// answers.
//
// Source: ALB user guide, "Listener rules for your Application Load Balancer".
package routing
