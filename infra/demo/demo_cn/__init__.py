"""An invented brand with shops on Taobao, Youzan and WeCom."""
