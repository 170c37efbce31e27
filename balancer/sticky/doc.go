// Package sticky reads and makes the cookies with which clients come back to the
// target, or the target group, that they had. It knows fields and tokens, and
// refuses to know targets and groups.
//
// Source: ALB user guide, "Sticky sessions for your Application Load Balancer".
package sticky
