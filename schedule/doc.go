// Package schedule knows the schedule expressions of EventBridge, EventBridge Scheduler
// and Secrets Manager: rate(…), cron(…) and at(…), and when each is next due. It knows
// nothing of what is to be done then, and what each service says of an expression that is
// none is the service's business.
package schedule
