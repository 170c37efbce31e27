package balancer

import (
	"errors"

	"fargo/desired"
)

// setLogs makes the logs that a balancer's attributes ask for the only ones.
func (b *balancer) setLogs(root string, d *desired.Balancer) error {
	node, a := logNode(d), attributes(d.Attributes)
	return errors.Join(
		replaceLog(&b.log, readLog(root, b.arn, accessLogs, node, a, "access_logs")),
		replaceLog(&b.connections, readLog(root, b.arn, connectionLogs, node, a, "connection_logs")))
}

// flushLogs brings a balancer's logs to their files, and with end closes them.
func (b *balancer) flushLogs(end bool) (err error) {
	for _, log := range []*objectLog{b.log, b.connections} {
		if end {
			err = errors.Join(err, log.end())
		} else {
			err = errors.Join(err, log.flush())
		}
	}
	return err
}
