"""Known environments: which one it is, its reward, and when its episodes end."""
