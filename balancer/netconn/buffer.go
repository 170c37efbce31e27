package netconn

import "sync"

// bufferSize is how much is copied at once, in bytes.
const bufferSize = 32 << 10

// Buffer is what is copied at once.
type Buffer = [bufferSize]byte

var buffers = sync.Pool{New: func() any { return new(Buffer) }}

// GetBuffer gives a buffer, which PutBuffer takes back.
func GetBuffer() *Buffer { return buffers.Get().(*Buffer) }

// PutBuffer takes back a buffer that nobody uses any more.
func PutBuffer(b *Buffer) { buffers.Put(b) }
