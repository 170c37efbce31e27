// Package eventpattern knows the event patterns of EventBridge: their grammar, the
// reasons for which AWS refuses one, and which of many patterns an event matches. It
// knows nothing of rules, buses or targets.
//
// AWS's own implementation is github.com/aws/event-ruler, which reads patterns with the
// Jackson library. Reasons end with the place where that stopped reading, so the
// [scanner] here reads as far ahead as Jackson does.
package eventpattern
