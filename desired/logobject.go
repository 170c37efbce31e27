package desired

// LogObject is a file of a load balancer's log on its way to S3.
type LogObject struct {
	Bucket string `json:"bucket"`
	// Name is the object's key: the load balancer's prefix, and the name that AWS gives
	// it, which names the load balancer. So the same file is the same object.
	Name    string `json:"name"`
	Content []byte `json:"content"` // as the object has it: compressed by gzip
}
