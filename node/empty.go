package node

// emptiness is what a node must know beside its tasks and interfaces to say whether
// it holds nothing.
type emptiness struct {
	listed   bool // all containers on the machine have been looked at
	unowned  int  // containers of no task that are still to be removed
	taking   bool // what is desired is on its way to tasks and followers
	changing chan struct{}
}

// Empty reports whether the node holds nothing of tasks or load balancers, nor is to
// by what it was last told, and gives a channel that is closed when the answer may be
// another. What the kernel has left of tasks that nobody knows any more, it loses with
// the next Set.
func (n *Node) Empty() (empty bool, changed <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	empty = n.mu.empty.listed && n.mu.empty.unowned == 0 && !n.mu.empty.taking && len(n.mu.loops) == 0 &&
		len(n.mu.dataPlane.interfaces) == 0 && len(n.mu.dataPlane.desired.Balancers) == 0
	if d := n.mu.desired; d != nil {
		empty = empty && len(d.Tasks) == 0 && len(d.Balancers) == 0
	}
	return empty, n.mu.empty.changing
}

// mayBeEmpty tells who waits for the node to be empty to ask again. n.mu is held.
func (n *Node) mayBeEmpty() {
	close(n.mu.empty.changing)
	n.mu.empty.changing = make(chan struct{})
}

// taken ends the time in which tasks that were assigned are not known yet.
func (n *Node) taken() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.empty.taking = false
	n.mayBeEmpty()
}
