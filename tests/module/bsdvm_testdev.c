// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A device with memory of its own that windows can map, by bsdvm_cdev.h. What is
 * mapped is seen by read(2) and write(2) as well, so that a test has both sides.
 */
#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/major.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "bsdvm_cdev.h"
#include "bsdvm_testdev.h"

static struct page *testdev_pages[TESTDEV_PAGES];
static struct cdev_pager *testdev_cdev;
/* Guards both. Not taken by what bsdvm calls. */
static DEFINE_MUTEX(testdev_lock);
static atomic_t testdev_faults;

static int testdev_mmap(void *drv, u64 offset, u64 size)
{
	return offset >= TESTDEV_FORBIDDEN ? -EPERM : 0;
}

static int testdev_fault(void *drv, u64 offset, phys_addr_t *paddr, unsigned int *memattr)
{
	struct page **pages = drv;

	atomic_inc(&testdev_faults);
	if (offset < TESTDEV_PAGES * PAGE_SIZE) {
		*paddr = PFN_PHYS(page_to_pfn(pages[offset >> PAGE_SHIFT]));
		return 0;
	}
	if (offset >= TESTDEV_ROM && offset < TESTDEV_ROM + TESTDEV_ROM_SIZE) {
		*paddr = TESTDEV_ROM_ADDRESS + offset - TESTDEV_ROM;
		return 0;
	}
	return -ENXIO;
}

static const struct bsdvm_cdevsw testdev_cdevsw = {
	.mmap = testdev_mmap,
	.fault = testdev_fault,
};

static void testdev_free(void)
{
	unsigned int i;

	for (i = 0; i < TESTDEV_PAGES; i++) {
		if (!testdev_pages[i])
			continue;
		memset(page_address(testdev_pages[i]), TESTDEV_POISON, PAGE_SIZE);
		__free_page(testdev_pages[i]);
		testdev_pages[i] = NULL;
	}
}

static int testdev_alloc(void)
{
	unsigned int i;

	for (i = 0; i < TESTDEV_PAGES; i++) {
		testdev_pages[i] = alloc_page(GFP_KERNEL);
		if (!testdev_pages[i]) {
			testdev_free();
			return -ENOMEM;
		}
		memset(page_address(testdev_pages[i]), TESTDEV_FRESH, PAGE_SIZE);
	}
	return 0;
}

static int testdev_offer(void);

static int testdev_withdraw(void)
{
	lockdep_assert_held(&testdev_lock);
	if (!testdev_pages[0])
		return -ENXIO;
	bsdvm_cdev_withdraw(testdev_cdev);
	/* Nobody may see this. */
	testdev_free();
	return 0;
}

static int testdev_renew(void)
{
	lockdep_assert_held(&testdev_lock);
	bsdvm_cdev_unregister(testdev_cdev);
	testdev_free();
	return testdev_offer();
}

static long testdev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (cmd == TESTDEV_FAULTS)
		return atomic_read(&testdev_faults);
	mutex_lock(&testdev_lock);
	switch (cmd) {
	case TESTDEV_WITHDRAW:
		ret = testdev_withdraw();
		break;
	case TESTDEV_OFFER:
		ret = testdev_renew();
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&testdev_lock);
	return ret;
}

/*
 * Read and write: what of a request lies in one page. User memory may be ours by way
 * of a window, which is why no function that bsdvm calls takes the lock.
 */
static ssize_t testdev_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	unsigned long page = *ppos >> PAGE_SHIFT;
	loff_t pos = offset_in_page(*ppos);
	ssize_t ret = 0;

	mutex_lock(&testdev_lock);
	if (page < TESTDEV_PAGES && testdev_pages[page])
		ret = simple_read_from_buffer(buf, len, &pos, page_address(testdev_pages[page]),
					      PAGE_SIZE);
	mutex_unlock(&testdev_lock);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

static ssize_t testdev_write(struct file *file, const char __user *buf, size_t len, loff_t *ppos)
{
	unsigned long page = *ppos >> PAGE_SHIFT;
	loff_t pos = offset_in_page(*ppos);
	ssize_t ret = -ENOSPC;

	mutex_lock(&testdev_lock);
	if (page < TESTDEV_PAGES && testdev_pages[page])
		ret = simple_write_to_buffer(page_address(testdev_pages[page]), PAGE_SIZE, &pos,
					     buf, len);
	mutex_unlock(&testdev_lock);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

static const struct file_operations testdev_fops = {
	.owner = THIS_MODULE,
	.read = testdev_read,
	.write = testdev_write,
	.llseek = default_llseek,
	.unlocked_ioctl = testdev_ioctl,
};

static struct miscdevice testdev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bsdvm_testdev",
	.mode = 0666,
	.fops = &testdev_fops,
};

static int testdev_offer(void)
{
	int ret = testdev_alloc();

	if (ret)
		return ret;
	testdev_cdev = bsdvm_cdev_register(MKDEV(MISC_MAJOR, testdev.minor), &testdev_cdevsw,
					   testdev_pages);
	if (IS_ERR(testdev_cdev))
		testdev_free();
	return PTR_ERR_OR_ZERO(testdev_cdev);
}

static int __init testdev_init(void)
{
	int ret = misc_register(&testdev);

	if (ret)
		return ret;
	mutex_lock(&testdev_lock);
	ret = testdev_offer();
	mutex_unlock(&testdev_lock);
	if (ret)
		misc_deregister(&testdev);
	return ret;
}

static void __exit testdev_exit(void)
{
	bsdvm_cdev_unregister(testdev_cdev);
	testdev_free();
	misc_deregister(&testdev);
}

module_init(testdev_init);
module_exit(testdev_exit);

MODULE_AUTHOR("The bsdvm authors");
MODULE_DESCRIPTION("Memory for bsdvm's tests to map");
MODULE_LICENSE("Dual BSD/GPL");
