"""x"""
import gc
def test_leak(each_house):
    """x"""
    each_house.append(each_house.bearer("append"))
def test_leak2(each_house):
    """x"""
    each_house.append(each_house.bearer("append")); each_house.catch_up()
def test_leak3(living_house):
    """x"""
    living_house.append(living_house.bearer("append"))
def test_gc():
    """x"""
    gc.collect()
