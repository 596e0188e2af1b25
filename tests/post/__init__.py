"""The post: print folder, runs, scans."""
