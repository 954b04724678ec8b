// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * device_pager: one object a device, found by its number.
 *
 * The pages of the object are fictitious: a vm_page each for a frame that the driver
 * named, made when it is first touched. They are on no queue, so no daemon sees
 * them, and nothing is ever written back.
 *
 *	/dev/x ──► cdev_pager ──► vm_object (OBJT_DEVICE) ◄── entries that map it
 *	  (number)      │              [ . f . f f ]
 *	                ▼                    │ phys_addr
 *	          driver's functions      driver's frames
 *
 * The driver's functions run under cdev_pager.lock, shared, until the page they
 * named is in the object. Who withdraws the memory has it exclusively: then nothing
 * is about to be mapped, and what is mapped is found in the object. A frame's content
 * is looked at by us (copied on write) under the object's lock only.
 *
 * An object that lost its last reference is still what cdev_pager.object points to
 * until its dealloc: under cdev_pager.lock it is memory at least.
 *
 * Locks: cdev_list_lock guards the list; a leaf. cdev_pager.lock is outside of
 * object locks, and may be taken in a fault that holds mmap_lock.
 */
#include "device_pager.h"

#include "pmap.h"
#include "vm_page.h"
#include "vm_pager.h"
#include "vm_phys.h"

/**
 * struct cdev_pager - a device whose memory may be mapped
 * @node: (L) place on the list
 * @refs: (A) the list's, the objects', and short ones
 * @dev: (C) its number
 * @csw: (C) the driver's functions, valid while @gone is not set
 * @drv: (C) for them
 * @lock: the device's lock
 * @gone: (D) the memory was withdrawn
 * @object: (D) its object, which may be on its way out; or NULL
 *
 * Locks: (A) atomic, (C) constant, (D) lock, (L) cdev_list_lock.
 */
struct cdev_pager {
	struct list_head node;
	refcount_t refs;
	dev_t dev;
	const struct bsdvm_cdevsw *csw;
	void *drv;
	struct rw_semaphore lock; /* outside of object locks */
	bool gone;
	struct vm_object *object;
};

static LIST_HEAD(cdev_list);
static DEFINE_MUTEX(cdev_list_lock);

static struct cdev_pager *cdev_lookup(dev_t dev)
{
	struct cdev_pager *cdev;

	lockdep_assert_held(&cdev_list_lock);
	list_for_each_entry(cdev, &cdev_list, node)
		if (cdev->dev == dev)
			return cdev;
	return NULL;
}

static struct cdev_pager *cdev_get(dev_t dev)
{
	struct cdev_pager *cdev;

	mutex_lock(&cdev_list_lock);
	cdev = cdev_lookup(dev);
	if (cdev)
		refcount_inc(&cdev->refs);
	mutex_unlock(&cdev_list_lock);
	return cdev;
}

static void cdev_put(struct cdev_pager *cdev)
{
	if (refcount_dec_and_test(&cdev->refs))
		kfree(cdev);
}

bool cdev_pager_known(dev_t dev)
{
	bool ret;

	mutex_lock(&cdev_list_lock);
	ret = cdev_lookup(dev);
	mutex_unlock(&cdev_list_lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(cdev_pager_known);

/* The frame at @offset, and how it is to be mapped. */
static int cdev_frame(struct cdev_pager *cdev, vm_ooffset_t offset, vm_paddr_t *pa)
{
	unsigned int memattr = VM_MEMATTR_WRITE_BACK;
	phys_addr_t paddr;
	int ret;

	lockdep_assert_held(&cdev->lock);
	ret = cdev->csw->fault(cdev->drv, offset, &paddr, &memattr);
	if (ret)
		return ret;
	/* A frame of the pool is nobody's to offer. */
	if ((paddr & VM_PAGE_MASK) || PHYS_TO_VM_PAGE(paddr))
		return -EINVAL;
	*pa = paddr;
	return pmap_phys_memattr(paddr, memattr);
}

/* May all of the range be mapped, by the caller? */
static int cdev_check(struct cdev_pager *cdev, vm_ooffset_t offset, vm_size_t size)
{
	vm_ooffset_t end;
	vm_paddr_t pa;
	int ret;

	lockdep_assert_held(&cdev->lock);
	if (cdev->gone)
		return -ENXIO;
	if (check_add_overflow(offset, size, &end))
		return -EINVAL;
	if (cdev->csw->mmap) {
		ret = cdev->csw->mmap(cdev->drv, offset, size);
		if (ret)
			return ret;
	}
	for (; offset < end; offset += VM_PAGE_SIZE) {
		if (cdev_frame(cdev, offset, &pa) < 0)
			return -EINVAL;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* The object, referenced. */
static struct vm_object *cdev_object(struct cdev_pager *cdev)
{
	struct vm_object *object = cdev->object;

	lockdep_assert_held_write(&cdev->lock);
	if (object && refcount_inc_not_zero(&object->ref_count))
		return object;
	object = vm_object_allocate(OBJT_DEVICE, 0);
	if (object) {
		refcount_inc(&cdev->refs);
		object->devp = cdev;
		cdev->object = object;
	}
	return object;
}

int cdev_pager_allocate(dev_t dev, vm_ooffset_t offset, vm_size_t size, struct vm_object **objectp)
{
	struct cdev_pager *cdev = cdev_get(dev);
	struct vm_object *object;
	int ret;

	if (!cdev)
		return -ENODEV;
	down_read(&cdev->lock);
	ret = cdev_check(cdev, offset, size);
	up_read(&cdev->lock);
	if (ret)
		goto put;
	down_write(&cdev->lock);
	object = cdev->gone ? NULL : cdev_object(cdev);
	if (!object) {
		ret = cdev->gone ? -ENXIO : -ENOMEM;
		goto unlock;
	}
	VM_OBJECT_WLOCK(object);
	object->size = max(object->size, OFF_TO_IDX(offset + size));
	VM_OBJECT_WUNLOCK(object);
	*objectp = object;
unlock:
	up_write(&cdev->lock);
put:
	cdev_put(cdev);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(cdev_pager_allocate);

/* Put a page for the frame into the object. */
static int cdev_insert(struct vm_object *object, vm_pindex_t pindex, vm_paddr_t pa,
		       vm_memattr_t memattr)
{
	struct vm_page *m = vm_page_getfake(pa, memattr);
	int ret;

	if (!m)
		return VM_PAGER_FAIL;
	VM_OBJECT_WLOCK(object);
	ret = vm_page_insert(m, object, pindex);
	VM_OBJECT_WUNLOCK(object);
	if (ret)
		vm_page_putfake(m);
	return !ret || ret == -EEXIST ? VM_PAGER_OK : VM_PAGER_FAIL;
}

static int dev_pager_populate(struct vm_object *object, vm_pindex_t pindex)
{
	struct cdev_pager *cdev = object->devp;
	int rv = VM_PAGER_BAD, memattr;
	vm_paddr_t pa;

	down_read(&cdev->lock);
	if (!cdev->gone && pindex < READ_ONCE(object->size)) {
		memattr = cdev_frame(cdev, IDX_TO_OFF(pindex), &pa);
		if (memattr >= 0)
			rv = cdev_insert(object, pindex, pa, memattr);
	}
	up_read(&cdev->lock);
	return rv;
}

static void dev_pager_dealloc(struct vm_object *object)
{
	struct cdev_pager *cdev = object->devp;

	down_write(&cdev->lock);
	if (cdev->object == object)
		cdev->object = NULL;
	up_write(&cdev->lock);
	cdev_put(cdev);
}

static const struct pagerops devicepagerops = {
	.populate = dev_pager_populate,
	.dealloc = dev_pager_dealloc,
};

/*
 * Unmap all pages and free them. Those that are wired stay with nothing behind them,
 * where nobody sees them, so that they can be unwired.
 */
static void cdev_remove_pages(struct vm_object *object)
{
	unsigned long index;
	struct vm_page *m;

	VM_OBJECT_WLOCK(object);
	object->size = 0;
	xa_for_each(&object->pages, index, m) {
		pmap_remove_all(m);
		if (vm_page_wired_beside(m, 0))
			m->valid = 0;
		else
			vm_page_destroy(m);
		cond_resched();
	}
	VM_OBJECT_WUNLOCK(object);
}

struct cdev_pager *bsdvm_cdev_register(dev_t dev, const struct bsdvm_cdevsw *csw, void *drv)
{
	struct cdev_pager *cdev = kzalloc(sizeof(*cdev), GFP_KERNEL);
	bool known;

	if (!cdev)
		return ERR_PTR(-ENOMEM);
	refcount_set(&cdev->refs, 1);
	init_rwsem(&cdev->lock);
	cdev->dev = dev;
	cdev->csw = csw;
	cdev->drv = drv;
	mutex_lock(&cdev_list_lock);
	known = cdev_lookup(dev);
	if (!known)
		list_add(&cdev->node, &cdev_list);
	mutex_unlock(&cdev_list_lock);
	if (known) {
		kfree(cdev);
		return ERR_PTR(-EBUSY);
	}
	return cdev;
}
EXPORT_SYMBOL_GPL(bsdvm_cdev_register);

void bsdvm_cdev_withdraw(struct cdev_pager *cdev)
{
	struct vm_object *object;

	down_write(&cdev->lock);
	cdev->gone = true;
	object = cdev->object;
	/* What lost its last reference is mapped nowhere. */
	if (object && !refcount_inc_not_zero(&object->ref_count))
		object = NULL;
	if (object)
		cdev_remove_pages(object);
	up_write(&cdev->lock);
	vm_object_deallocate(object);
}
EXPORT_SYMBOL_GPL(bsdvm_cdev_withdraw);

void bsdvm_cdev_unregister(struct cdev_pager *cdev)
{
	if (IS_ERR_OR_NULL(cdev))
		return;
	bsdvm_cdev_withdraw(cdev);
	mutex_lock(&cdev_list_lock);
	list_del(&cdev->node);
	mutex_unlock(&cdev_list_lock);
	cdev_put(cdev);
}
EXPORT_SYMBOL_GPL(bsdvm_cdev_unregister);

void device_pager_init(void)
{
	vm_pager_register(OBJT_DEVICE, &devicepagerops);
}

void device_pager_fini(void)
{
	VM_ASSERT(list_empty(&cdev_list));
	vm_pager_register(OBJT_DEVICE, NULL);
}
