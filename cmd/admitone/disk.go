package main

// disk is what the operating system tells about where a file lies.
type disk struct {
	free    uint64 // bytes that we may still write
	network string // the network file system it lies on, empty on a disk of this machine
}

// networked names the file systems that may keep their files on another machine,
// by the number that Linux gives them (statfs(2)). Their locks and the shared
// memory of SQLite's write-ahead log hold between the processes of one machine at
// best.
func networked(magic uint32) string {
	return map[uint32]string{
		0x6969:     "NFS",
		0x517b:     "SMB",
		0xff534d42: "CIFS",
		0xfe534d42: "SMB",
		0x65735546: "FUSE",
		0x01021997: "9P",
		0x5346414f: "AFS",
		0x00c36400: "Ceph",
		0x0bd00bd0: "Lustre",
		0x73757245: "Coda",
		0x564c:     "NCP",
		0x7461636f: "OCFS2",
		0x01161970: "GFS2",
	}[magic]
}
